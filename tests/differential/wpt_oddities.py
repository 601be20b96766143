"""What the sampler of wpt_urls.py does not find in the files: names of wrappers, pipes, ranges, and requests by hand."""

from __future__ import annotations

import re

META = re.compile(r"^// META: (\w+)=([^\r\n]*)", re.MULTILINE)

# Every ending behind which some version of `wpt serve` wraps X.any.js, and a few that are none.
WRAPPER_SUFFIXES = [
    ".any.html", ".any.worker.html", ".any.worker-module.html", ".any.sharedworker.html",
    ".any.sharedworker-module.html", ".any.serviceworker.html", ".any.serviceworker-module.html",
    ".any.window-module.html", ".any.shadowrealm.html", ".any.shadowrealm-in-window.html",
    ".any.shadowrealm-in-shadowrealm.html", ".any.shadowrealm-in-dedicatedworker.html",
    ".any.shadowrealm-in-sharedworker.html", ".any.shadowrealm-in-serviceworker.html",
    ".any.shadowrealm-in-audioworklet.html", ".https.any.shadowrealm-in-serviceworker.html", ".any.worker.js",
    ".any.worker-module.js", ".any.worker-shadowrealm.js", ".any.serviceworker-shadowrealm.js",
    ".any.audioworklet-shadowrealm.js", ".any.window.html", ".worker.html", ".window.html", ".any.js",
]

PIPES = [
    "sub", "sub(none)", "sub(html)", "sub(nonsense)", "slice(0,10)", "slice(5)", "slice(null,20)", "slice(-5)",
    "slice(3,-3)", "slice(10,5)", "slice()", "slice(a)", "header(X-A,b)", "header(Content-Type,text/plain)",
    "header(X-A,b)|header(X-A,c,True)", "header(X-A,b)|header(X-A,c)", "header(X-A,a%20b)", "header(X-A,b\\,c)",
    "header(X-A)", "header()", "status(404)", "status(299)", "status(204)", "status(304)", "status(abc)", "status()",
    "gzip", "gzip|slice(0,15)", "slice(0,50)|gzip", "sub|gzip", "trickle(d0.05)", "trickle(20:d0.02:10)",
    "trickle(5:d0.01:r2)", "trickle(100)", "trickle()", "trickle(d)", "trickle(5:x)", "trickle(d0.02)|sub",
    "sub|trickle(d0.02)", "status(206)|header(X,y)|sub|slice(0,100)", "nosuch", "sub|nosuch(1)", "", "|", "sub|",
    "header(Cache-Control,no-store)|status(500)", "sub(", "sub)", "SUB", "header(%41,%42)", "sub&pipe=gzip",
    "header(Content-Length,3)", "header(Set-Cookie,a=b;%20Path=/)", "header(Location,/common/blank.html)|status(302)",
    "trickle(3:d0.01:r)|slice(0,30)", "slice(0,1)|header(X-A,%E9)", "header(Access-Control-Allow-Origin,*)",
    "header(Content-Security-Policy,default-src%20'self';%20script-src%20*)", "status(100)", "status(1000)",
]

RANGES = [
    "bytes=0-0", "bytes=0-9", "bytes=5-", "bytes=-7", "bytes=0-", "bytes=0-9,20-29", "bytes=0-0,2-2,4-4", "bytes=-1,0-0",
    "bytes=5-2", "bytes=999999999-", "bytes=0-999999999", "bytes=-999999999", "bytes=", "bytes=-", "bytes=a-b",
    "bytes=0-9,", "bytes=,0-9", "bytes=0-9,a-b", "bytes = 0-9", "bytes=0 - 9", "Bytes=0-9", "bits=0-9", "0-9", "",
    "bytes=10-19,0-9", "bytes=0-9,5-14", "bytes=0-9;q=1", "bytes=-0", "bytes=1-1,999999999-", "bytes=0--5",
]

# URL path and directory of an alias; a path without a slash at its end is one file in that directory.
ALIASES = [
    ("/aliased/", "fetch/api"), ("/aliased/deeper/", "xhr"), ("/resources/testharnessreport.js", "common"),
    ("/aliased-file.js", "no-such-directory"), ("/common/security-features/", "dom"),
]


def alias_requests() -> list[tuple]:
    targets = [
        "/aliased/", "/aliased", "/aliased/basic/", "/aliased/basic/request-headers.any.html",
        "/aliased/basic/request-headers.any.worker.html", "/aliased/basic/request-headers.any.worker.js",
        "/aliased/basic/request-headers.any.js", "/aliased/resources/top.txt", "/aliased/resources/utils.js",
        "/aliased/resources/utils.js?pipe=slice(0,20)", "/aliased/resources/status.py?code=205",
        "/aliased/resources/inspect-headers.py?headers=x-a", "/aliased/resources/no-such.py",
        "/aliased/../fetch/api/resources/top.txt", "/aliased/%2e%2e/basic/", "/aliased/no-such-file",
        "/aliased/tools/x", "/aliased/request/request-error.any.html", "/aliased/redirect/redirect-count.any.html",
        "/aliased/deeper/", "/aliased/deeper", "/aliased/deeper/abort-after-send.any.html",
        "/aliased/deeper/resources/content.py", "/aliased/deeper/resources/well-formed.xml",
        "/aliased/deeper/event-error.sub.any.html", "/aliased/deeper/open-url-worker-origin.any.worker.html",
        "/resources/testharnessreport.js", "/resources/testharnessreport.js?x", "/resources/testharnessreport.js/",
        "/resources/testharness.js", "/resources/", "/aliased-file.js", "/common/security-features/",
        "/common/security-features/idlharness.any.html", "/common/security-features/README.md",
        "/common/blank.html", "/aliased/.well-known/web-identity", "/.well-known/web-identity",
    ]
    return ([("GET", target) for target in targets]
            + [(method, target) for method in ("HEAD", "POST", "OPTIONS")
               for target in ("/aliased/", "/aliased/resources/top.txt", "/aliased/resources/status.py",
                              "/resources/testharnessreport.js", "/aliased/basic/request-headers.any.html")])


def _with_methods(targets: list[str], methods: list[str]) -> list[tuple]:
    return [(method, target) for target in targets for method in methods]


# Forbidden, rewritten and other routes that exist by name.
ROUTES: list[tuple] = [
    *_with_methods(["/tools/", "/tools/serve/serve.py", "/tools/certs/cacert.pem", "/_certs/", "/_certs/x.pem",
                    "/results/", "/results", "/results/x", "/dom/tools/", "/dom/tools/x.html", "/a/b/tools/x",
                    "/tools/runner/", "/tools/runner/index.html", "/tools/runner/css/bootstrap.min.css",
                    "/tools/runner/no-such-file", "/resources/WebIDLParser.js",
                    "/resources/webidl2/lib/webidl2.js"], ["GET", "HEAD", "POST"]),
    *[("GET", target) for target in (
        "/tools", "/_certs", "/tools/../tools/", "/%74ools/", "/tools%2fserve", "//tools/", "/./tools/", "/Tools/",
        "/tools/runner/index.html?pipe=slice(0,9)", "/tools/runner/report.css", "/tools/runner/runner.js",
        "/resources/WebIDLParser.js?x=1", "/resources/WebIDLParser.js?pipe=slice(0,20)", "/resources/WebIDLParser%2ejs",
        "/resources/WebIDLParser.js.headers", "/resources/../resources/WebIDLParser.js", "/dom/tools", "/css/tools/",
        "/css/tools/apiclient/README.md", "/css/tools/README.md", "/webaudio/tools/x", "/results/a/b", "/resultsx/",
        "/favicon.ico", "/robots.txt", "/config.json", "/MANIFEST.json", "/.git/HEAD", "/.gitignore", "/wpt", "/wpt.py",
        "/", "/?x", "/index.html", "/common/", "/common", "/resources/testharness.js", "/resources/testdriver.js",
        "/resources/testharness.css.headers", "/common/blank.html", "/common/utils.js", "/common/slow.py",
        "/common/redirect.py?location=/common/blank.html", "/common/echo.py?content=x", "/common/stringifiers.js",
        "/common/PrefixedLocalStorage.js", "/common/get-host-info.sub.js", "/common/get-host-info.sub.js.headers",
        "/common/text-plain.txt", "/serve", "/no/such/directory/", "/no-such-file.html", "/no-such.py", "/no-such.asis",
        "/no-such.any.html", "/no-such.sub.html", "/dom/no-such.window.html", "/dom/no-such.worker.html",
        "/.any.html", "/.worker.html", "/.py", "/.asis", "/x.any.worker.js/", "/dom/.any.js")],
]

_FILE = "/common/blank.html"
# Paths as only machines write them.
PATHS: list[tuple] = [
    *[("GET", target) for target in (
        "/common/./blank.html", "/common/../common/blank.html", "/../common/blank.html", "/common//blank.html",
        "//common/blank.html", "/common/%62lank.html", "/common/blank%2ehtml", "/common%2fblank.html",
        "/common/%2e%2e/common/blank.html", "/common/..%2fcommon/blank.html", "/%2e%2e/%2e%2e/etc/passwd",
        "/../../../etc/passwd", "/common/blank.html/", "/common/blank.html/x", "/common/blank.html%00", "/common/%00",
        "/common/blank.html%20", "/common/blank.html;a=b", "/common/blank.html?", "/common/blank.html??a",
        "/common/blank.html#frag", "/common/blank.html?a#b", "/common/blank.html%23", "/common/blank.html%3fa",
        "/COMMON/blank.html", "/common/Blank.html", "/common/%C3%A9", "/common/\xe9", "/common/%E9", "/common/%",
        "/common/%zz", "/common/%4", "/common/a b", "/common/+", "/common/*", "/common/{x}", "/common/[x]",
        "/common/\\", "/common\\blank.html", "/common/blank.html\\", "/~", "/.", "/..", "/...", "/%2f", "/%2f/", "///",
        "/common/../", "/common/..", "/common/.", "/common/../../", "*", "", "common/blank.html",
        "http://web-platform.test/common/blank.html", "http://other.example:99/common/blank.html?x",
        "https://web-platform.test/common/blank.html", "http:/common/blank.html", "//web-platform.test/common/blank.html",
        "file:///etc/passwd", "/common/blank.html?pipe", "/common/blank.html?pipe=", "/common/blank.html?Pipe=sub",
        "/common/blank.html?a=1;pipe=sub", "/common/" + "x" * 300, "/common/blank.html?" + "q" * 5000,
        "/" + "d/" * 200, "/common/blank.html?%FF%FE", "/common/blank.html?a=%00", "/css/CSS2/", "/css/CSS2/archive.zip",
        "/docs/", "/docs/index.md", "/docs/conf.py", "/websockets/handlers/echo_wsh.py", "/websockets/handlers/",
        "/html/", "/dom/", "/url/", "/infrastructure/", "/css/", "/fonts/", "/images/", "/media/", "/interfaces/")],
    ("GET", _FILE, {"version": "HTTP/1.0"}),
    ("GET", _FILE, {"version": "HTTP/1.0", "headers": [("Connection", "keep-alive")]}),
    ("GET", _FILE, {"version": ""}),
    ("GET", _FILE, {"version": "HTTP/0.9"}),
    ("GET", _FILE, {"version": "HTTP/2.0"}),
    ("GET", _FILE, {"version": "HTTP/1.2"}),
    ("GET", _FILE, {"host": None}),
    ("GET", "/", {"host": None}),
    ("GET", "/common/get-host-info.sub.js", {"host": None}),
    ("GET", "/common/get-host-info.sub.js", {"host": ""}),
    ("GET", "/common/get-host-info.sub.js", {"host": "[::1]"}),
    ("GET", "/common/get-host-info.sub.js", {"host": "a..b"}),
    ("GET", "/common/get-host-info.sub.js", {"host": "nonexistent.web-platform.test"}),
    ("GET", _FILE, {"headers": [("Connection", "close")]}),
    ("GET", _FILE, {"headers": [("If-Modified-Since", "Sun, 01 Jan 2040 00:00:00 GMT"), ("If-None-Match", "*")]}),
    ("GET", _FILE, {"headers": [("Accept-Encoding", "gzip, br")]}),
    ("GET", _FILE, {"headers": [("Range", "bytes=0-1"), ("Range", "bytes=2-3")]}),
    ("GET", _FILE, {"headers": [("Expect", "100-continue")]}),
    ("GET", _FILE, {"headers": [("Upgrade", "websocket"), ("Connection", "Upgrade")]}),
    ("GET", _FILE, {"headers": [("Upgrade", "h2c"), ("HTTP2-Settings", "AAA"), ("Connection", "Upgrade, HTTP2-Settings")]}),
    ("POST", _FILE, {"body": b"x" * 100_000}),
    ("PRI", "*", {"version": "HTTP/2.0", "host": None}),
    ("OPTIONS", "*"),
    ("CONNECT", "web-platform.test:443"),
]

# Plain HTTP on a WebSocket port.
WEBSOCKET_PORT = [("GET", "/"), ("HEAD", "/"), ("GET", "/common/blank.html"), ("HEAD", "/common/blank.html"),
                  ("GET", "/no-such-file"), ("GET", "/common"), ("POST", "/"), ("OPTIONS", "/"), ("GET", "/echo"),
                  ("GET", "/common/get-host-info.sub.js"), ("GET", "/common/redirect.py")]
