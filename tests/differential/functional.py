"""Runs wptserve's own functional tests against our binary.

They are `tools/wptserve/tests/functional/*.py` of a WPT checkout: classes that start a server in their process and register
functions as handlers. Here they get other modules to import (functional_stand_ins.py), behind which our binary answers. What cannot
be driven from outside, and what is expected to fail, is listed with its reason in functional-expected.json; anything else that
fails, and anything listed that passes, is a failure.
"""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import json
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import types
import unittest
from pathlib import Path

import functional_stand_ins as stand_ins

EXPECTED = Path(__file__).with_name("functional-expected.json")
START_LIMIT = 60.0
FOLDER = "tools/wptserve/tests/functional"


def start(binary: Path, doc_root: Path, root: Path, folder: Path, tls: bool) -> tuple[subprocess.Popen, dict[str, int]]:
    """A running server and its ports."""
    name = "tls" if tls else "plain"
    config, ready, log = folder / (name + ".json"), folder / (name + ".ready"), folder / (name + ".log")
    config.write_text(stand_ins.configuration(doc_root, root, tls))
    command = [str(binary), "serve", "--config", str(config), "--doc-root", str(doc_root), "--ready-file", str(ready)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    deadline = time.monotonic() + START_LIMIT
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("the server does not start: %s" % log.read_text(errors="replace"))
        time.sleep(0.01)
    ports = json.loads(ready.read_text())["ports"]
    return process, {scheme: numbers[0] for scheme, numbers in ports.items() if numbers}


def modules(root: Path, doc_root: Path, ports: dict[str, int]) -> list[types.ModuleType]:
    """The test modules, loaded with our stand-ins in place."""
    localpaths = types.ModuleType("localpaths")
    localpaths.repo_root = str(root)
    serve = types.ModuleType("serve")
    serve.serve = stand_ins.serve_module()
    package = types.ModuleType("functional")
    package.__path__ = []
    sys.modules.update({
        "pytest": stand_ins.pytest_module(), "httpx": stand_ins.httpx_module(), "localpaths": localpaths, "serve": serve,
        "serve.serve": serve.serve, "functional": package, "functional.base": stand_ins.base_module(doc_root, ports)})
    import wptserve.server  # noqa: F401  the tests use it as an attribute

    wptserve.server.WebTestHttpd = lambda **_: stand_ins.Running(doc_root, ports["https"])
    found = []
    for file in sorted((root / FOLDER).glob("test_*.py")):
        spec = importlib.util.spec_from_file_location("functional." + file.stem, file)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        found.append(module)
    return found


def cases(module: types.ModuleType) -> list[tuple[str, object]]:
    """The tests of a module: their names, and what to call."""
    name = module.__name__.split(".")[-1]
    found: list[tuple[str, object]] = []
    for kind_name, kind in inspect.getmembers(module, inspect.isclass):
        if kind.__module__ != module.__name__:
            continue
        for test in sorted(attribute for attribute in dir(kind) if attribute.startswith("test")):
            found.append(("%s.%s.%s" % (name, kind_name, test), (kind, test)))
    functions = [item for item in inspect.getmembers(module, inspect.isfunction) if item[0].startswith("test")]
    return found + [("%s.%s" % (name, test), None) for test, _ in functions]


def run(case: object) -> str:
    """Nothing when the test passes, else why it does not. `Unmapped` goes through."""
    if case is None:
        raise stand_ins.Unmapped("it calls a class of wptserve's in its own process, without a server")
    kind, test = case
    try:
        if issubclass(kind, unittest.TestCase):
            instance = kind(test)
            result = unittest.TestResult()
            unmapped = []
            original = getattr(instance, test)

            def guarded():
                try:
                    original()
                except stand_ins.Unmapped as error:
                    unmapped.append(error)

            setattr(instance, test, guarded)
            instance.run(result)
            if unmapped:
                raise unmapped[0]
            return "".join(text for _, text in result.errors + result.failures)
        instance = kind()
        instance.setup_method(None)
        try:
            getattr(instance, test)()
        finally:
            instance.teardown_method(None)
        return ""
    except stand_ins.Unmapped:
        raise
    except Exception:
        return traceback.format_exc()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--root", type=Path, required=True, help="a WPT checkout")
    parser.add_argument("--only", default="", help="a part of the tests' names")
    arguments = parser.parse_args()
    root, binary = arguments.root.resolve(), arguments.binary.resolve()
    if not (root / FOLDER).is_dir():
        print("SKIPPED, the checkout has no %s" % FOLDER)
        return 0
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))
    passed, failed, unmapped, wrong = [], [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        doc_root = folder / "docroot"
        shutil.copytree(root / FOLDER / "docroot", doc_root)
        (doc_root / "pytest.py").write_text(stand_ins.HELPER)
        plain, ports = start(binary, doc_root, root, folder, False)
        tls, more = start(binary, doc_root, root, folder, True)
        try:
            for module in modules(root, doc_root, {**ports, **more}):
                for test, case in cases(module):
                    if arguments.only not in test:
                        continue
                    judge(test, case, expected, passed, failed, unmapped, wrong)
        finally:
            for process in (plain, tls):
                process.terminate()
                process.wait(20)
    if not arguments.only:
        seen = set(passed + failed + unmapped)
        wrong += ["%s is listed, but there is no such test" % test for part in expected.values() for test in part if test not in seen]
    print("wptserve's functional tests: %d of %d pass, %d fail, %d cannot be driven from outside"
          % (len(passed), len(passed) + len(failed) + len(unmapped), len(failed), len(unmapped)))
    for line in wrong:
        print("WRONG " + line)
    return 1 if wrong else 0


def judge(test, case, expected, passed, failed, unmapped, wrong) -> None:
    """Runs one test and holds what came of it against the table."""
    try:
        reason = run(case)
    except stand_ins.Unmapped as error:
        unmapped.append(test)
        if test not in expected["unmapped"]:
            wrong.append("%s cannot be driven: %s" % (test, error))
        return
    (failed if reason else passed).append(test)
    if reason and test not in expected["fails"]:
        wrong.append("%s fails:\n%s" % (test, reason))
    elif not reason and (test in expected["fails"] or test in expected["unmapped"]):
        wrong.append("%s passes, but is listed" % test)


if __name__ == "__main__":
    sys.exit(main())
