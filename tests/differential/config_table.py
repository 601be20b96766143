"""Records what a checkout's own configuration code makes of some configurations: src/config/tables/serve.json.

    python3 tests/differential/config_table.py WPT_ROOT > src/config/tables/serve.json

WPT_ROOT is a full checkout (of 2026) with its tools/; this Python must be able to import them. Each case is a `config.json`, a
`--config`, flags, and what differs from the configuration without any of these; or the exception.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

SETS = {"subdomains", "not_subdomains", "domains_set", "not_domains_set", "all_domains_set"}
# Long, and made of the hosts alone: a few cases are enough.
LONG = {"domains", "not_domains", "all_domains", "domains_set", "not_domains_set", "all_domains_set"}

# (config.json of the checkout, --config, flags)
CASES: list[tuple[Any, Any, dict[str, Any]]] = [
    (None, None, {}),
    (None, {}, {}),
    (None, [], {}),
    (None, None, {"h2": False}),
    (None, None, {"verbose": True}),
    ({"browser_host": "a.test"}, None, {}),
    ({"browser_host": "a.test"}, {"browser_host": "b.test"}, {}),
    ({"ports": {"http": [1, 2]}}, {"ports": {"http": [3, 4], "ws": [5]}}, {}),
    (None, {"server_host": "127.0.0.1"}, {}),
    (None, {"server_host": None, "browser_host": "c.test"}, {}),
    (None, {"browser_host": "\u00e9l\u00e8ve.test"}, {}),
    (None, {"alternate_hosts": {"alt": "other.test", "third": "third.test"}}, {}),
    (None, {"alternate_hosts": {"alt": "alt.web-platform.test"}}, {}),
    (None, {"ports": {"http": [8000, None], "https": [None, 8444], "zzz": [1]}}, {}),
    (None, {"ports": {"h2": [9002]}}, {}),
    (None, {"ports": {"h2": [9002]}}, {"h2": False}),
    (None, {"ports": {"ws": []}}, {}),
    (None, {"check_subdomains": False, "bind_address": False}, {}),
    (None, {"bind_hostname": False}, {}),
    (None, {"host": "h.test", "browser_host": "b.test"}, {}),
    (None, {"external_host": "e.test"}, {}),
    (None, {"host_ip": "127.0.0.2", "external_host": "e.test"}, {}),
    (None, {"logging": {"level": "debug", "suppress_handler_traceback": True, "more": 1}}, {}),
    (None, {"ssl": {"type": "pregenerated", "pregenerated": {
        "host_key_path": "/certs/k", "host_cert_path": "/certs/c", "ca_cert_path": "/certs/ca"}}}, {}),
    (None, {"ssl": {"encrypt_after_connect": True, "none": {"x": 1}}}, {}),
    (None, {"ws_doc_root": "/handlers"}, {}),
    (None, {"ws_doc_root": None}, {}),
    (None, {"ws_extra": ["/more", "/most"]}, {}),
    (None, {"aliases": [{"url-path": "/a/", "local-dir": "/b"}]}, {}),
    (None, {"unknown": 1, "another": 2}, {}),
    (None, {"ssl": {"type": "secret"}}, {}),
    (None, {"ssl": None}, {}),
    (None, {"logging": "debug"}, {}),
    (None, {"ports": {"http": 8000}}, {}),
    (None, {"browser_host": None}, {}),
]


def build(serve: Any, own: Any, given: Any, flags: dict[str, Any]) -> dict[str, Any]:
    log = logging.getLogger("table")
    log.setLevel(logging.CRITICAL)
    # Left behind by the case before: the defaults are one object for all.
    serve.ConfigBuilder._default["ports"].pop("h2", None)
    serve.ConfigBuilder._default["logging"].update(level="info")
    with tempfile.TemporaryDirectory() as directory:
        paths = []
        for name, value in (("own", own), ("given", given)):
            paths.append(str(Path(directory) / name))
            if value is not None:
                Path(paths[-1]).write_text(json.dumps(value))
        if given is not None:
            flags = dict(flags, config_path=paths[1])
        with serve.build_config(log, paths[0], **flags) as config:
            made = config.as_dict()
    return {key: sorted(value) if key in SETS else value for key, value in made.items()}


def main() -> int:
    root = sys.argv[1]
    sys.dont_write_bytecode = True
    sys.path[:0] = [root, root + "/tools"]
    import localpaths  # noqa: F401
    from serve import serve
    from wptserve import config as wptserve_config

    wptserve_config.get_port = lambda host: 1
    base: dict[str, Any] | None = None
    table = []
    for own, given, flags in CASES:
        case: dict[str, Any] = {"own": own, "config": given, "flags": flags}
        try:
            made = build(serve, own, given, flags)
        except Exception as error:
            case["raises"] = type(error).__name__ + ": " + str(error)
        else:
            if base is None:
                base = made
                case["keys"] = list(made)
            case["differs"] = made if made is base else {
                key: value for key, value in made.items()
                if value != base.get(key) and (key not in LONG or "third" in str(given))}
        table.append(case)
    lines = [json.dumps(case, ensure_ascii=False).replace(root, "@ROOT@") for case in table]
    print("[\n" + ",\n".join(lines) + "\n]")
    return 0


if __name__ == "__main__":
    sys.exit(main())
