//! The import provider: the file that an import means, and the messages about wrong imports, under both policies.
//!
//! Imports start at the doc root, and at the directories that a handler has put on `sys.path`. Each message names the line to write or
//! the file to create. When the author does so, the next request works without a restart.

use std::sync::Arc;

use crate::util::{Launch, Server, get};

/// A handler that answers with the value of an expression after these imports.
fn shows(imports: &str, value: &str) -> String {
    format!("{imports}\ndef main(request, response):\n    return str({value})\n")
}

/// A server under a policy.
fn serve(policy: &str, files: &[(&str, &str)]) -> Arc<Server> {
    Launch::new(files).arg("--import-policy").arg(policy).start()
}

/// Under each policy in turn.
fn both(files: &[(&str, &str)], mut check: impl FnMut(&Arc<Server>)) {
    for policy in ["strict", "warn"] {
        check(&serve(policy, files));
    }
}

#[test]
fn absolute_imports_find_packages_and_modules() {
    let files = [
        ("top.py", "NAME = __name__\n"),
        ("cookies/__init__.py", "PLACE = 'cookies'\n"),
        ("cookies/resources/__init__.py", ""),
        ("cookies/resources/helper.py", "import cookies\nNAME = __name__ + ' in ' + cookies.PLACE\nFILE = __file__\n"),
        ("one.py", &shows("from cookies.resources.helper import NAME", "NAME")),
        ("two.py", &shows("import cookies.resources.helper as h", "h.NAME")),
        ("cookies/resources/three.py", &shows("from cookies.resources import helper", "helper.FILE")),
        ("four.py", &shows("import top", "top.NAME")),
        ("five.py", &shows("import cookies.resources.helper", "cookies.PLACE")),
    ];
    both(&files, |server| {
        assert_eq!(server.get("/one.py").ok(), "cookies.resources.helper in cookies");
        assert_eq!(server.get("/two.py").ok(), "cookies.resources.helper in cookies");
        assert_eq!(server.get("/cookies/resources/three.py").ok(), server.site.show("cookies/resources/helper.py"));
        assert_eq!(server.get("/four.py").ok(), "top");
        assert_eq!(server.get("/five.py").ok(), "cookies");
        assert!(!server.log().contains("WARN"), "{}", server.log());
    });
}

#[test]
fn hyphens_go_through_importlib() {
    let files = [
        ("common-hyphen/__init__.py", ""),
        ("common-hyphen/sub-dir/__init__.py", ""),
        ("common-hyphen/sub-dir/a-tool.py", "NAME = __name__\n"),
        ("h.py", &shows("import importlib\nm = importlib.import_module('common-hyphen.sub-dir.a-tool')", "m.NAME")),
    ];
    both(&files, |server| assert_eq!(server.get("/h.py").ok(), "common-hyphen.sub-dir.a-tool"));
}

#[test]
fn strict_names_the_init_file_to_create_at_each_level() {
    for (missing, module) in [("a", "a.b.c.helper"), ("a/b", "a.b.c.helper"), ("a/b/c", "a.b.c.helper")] {
        let import = shows(&format!("from {module} import NAME"), "NAME");
        let mut files = vec![("a/b/c/helper.py", "NAME = 'found'\n"), ("h.py", import.as_str())];
        for level in ["a", "a/b", "a/b/c"].into_iter().filter(|level| *level != missing) {
            files.push(match level {
                "a" => ("a/__init__.py", ""),
                "a/b" => ("a/b/__init__.py", ""),
                _ => ("a/b/c/__init__.py", ""),
            });
        }
        let server = serve("strict", &files);
        let message = server.get("/h.py").error(500);
        let create = format!("create {} (it may be empty)", server.site.show(&format!("{missing}/__init__.py")));
        assert!(message.contains(&create), "{missing}: {message}");
        assert!(message.contains("ModuleNotFoundError"), "{missing}: {message}");
        server.site.write(&format!("{missing}/__init__.py"), "");
        assert_eq!(server.get("/h.py").ok(), "found", "{missing}: as told, without a restart");

        let server = serve("warn", &files);
        assert_eq!(server.get("/h.py").ok(), "found", "{missing}");
        assert_eq!(server.get("/h.py").ok(), "found", "{missing}");
        let warned = format!("{} has no __init__.py", server.site.show(missing));
        server.logged(&warned);
        assert_eq!(server.log().matches(&warned).count(), 1, "one warning per package: {}", server.log());
    }
}

#[test]
fn with_every_init_missing_each_message_leads_to_the_next() {
    let server =
        serve("strict", &[("a/b/helper.py", "X = 'found'\n"), ("h.py", &shows("from a.b.helper import X", "X"))]);
    for level in ["a/__init__.py", "a/b/__init__.py"] {
        let message = server.get("/h.py").error(500);
        assert!(message.contains(&format!("create {} ", server.site.show(level))), "{message}");
        server.site.write(level, "");
    }
    assert_eq!(server.get("/h.py").ok(), "found");
}

#[test]
fn relative_imports_are_told_the_absolute_form() {
    let files = [
        ("pkg/__init__.py", ""),
        ("pkg/helper.py", "X = 'x'\n"),
        ("pkg/user.py", "from .helper import X\n"),
        ("pkg/deep/__init__.py", ""),
        ("pkg/deep/one.py", &shows("from ..helper import X", "X")),
        ("pkg/handler.py", &shows("from .helper import X", "X")),
        ("pkg/dot.py", &shows("from . import helper", "helper.X")),
        ("indirect.py", &shows("from pkg.user import X", "X")),
    ];
    let told = |server: &Arc<Server>, target: &str, advice: &str| {
        let message = server.get(target).error(500);
        assert!(message.contains("ImportError: relative import"), "{target}: {message}");
        assert!(message.contains(advice), "{target}: {message}");
    };
    both(&files, |server| {
        told(server, "/pkg/handler.py", "write 'from pkg.helper import X'");
        told(server, "/pkg/dot.py", "write 'from pkg import helper'");
        told(server, "/pkg/deep/one.py", "write 'from pkg.helper import X'");
    });
    // CPython can do a relative import in a helper, so `warn` allows it.
    told(&serve("strict", &files), "/indirect.py", "write 'from pkg.helper import X'");
    let server = serve("warn", &files);
    assert_eq!(server.get("/indirect.py").ok(), "x");
    server.logged("relative import");
}

#[test]
fn sibling_imports_are_told_the_absolute_form() {
    let files = [
        ("cookies/__init__.py", ""),
        ("cookies/resources/__init__.py", ""),
        ("cookies/resources/myhelper.py", "X = 'x'\n"),
        ("cookies/resources/handler.py", &shows("import myhelper", "myhelper.X")),
        ("cookies/resources/from.py", &shows("from myhelper import X", "X")),
        ("cookies/resources/nothing.py", &shows("import nosuchmodule", "1")),
    ];
    both(&files, |server| {
        for target in ["/cookies/resources/handler.py", "/cookies/resources/from.py"] {
            let message = server.get(target).error(500);
            assert!(message.contains("write 'from cookies.resources import myhelper'"), "{target}: {message}");
        }
        let message = server.get("/cookies/resources/nothing.py").error(500);
        assert!(message.contains("ModuleNotFoundError: No module named 'nosuchmodule'"), "{message}");
    });
}

#[test]
fn a_directory_named_like_a_standard_module_wins_only_as_a_package() {
    let files = [
        ("html/index.html", ""),
        ("html/page_helper.py", "X = 1\n"),
        ("uuid/readme.txt", ""),
        ("colorsys/__init__.py", "MINE = 'the root'\n"),
        ("fnmatch.py", "MINE = 'the root, too'\n"),
        ("std.py", &shows("import html, uuid", "html.escape('<') + str(uuid.UUID(int=1))[-2:]")),
        ("inside.py", &shows("from html import page_helper", "1")),
        ("mine.py", &shows("import colorsys", "colorsys.MINE")),
    ];
    both(&files, |server| {
        assert_eq!(server.get("/std.py").ok(), "&lt;01");
        assert!(server.get("/inside.py").error(500).contains("cannot import name 'page_helper'"));
        assert_eq!(server.get("/mine.py").ok(), "the root");
        assert!(!server.log().contains("uuid"), "{}", server.log());
    });
}

#[test]
fn a_helper_that_fails_names_file_and_line_and_can_be_mended() {
    let files = [
        ("lib/__init__.py", ""),
        ("lib/broken.py", "X = 1\nY = (\n"),
        ("lib/raises.py", "X = 1\n\nraise ValueError('half-way')\n"),
        ("syntax.py", &shows("from lib.broken import X", "X")),
        ("raises.py", &shows("from lib import raises", "raises.X")),
    ];
    both(&files, |server| {
        let message = server.get("/syntax.py").error(500);
        assert!(message.contains("SyntaxError"), "{message}");
        assert!(message.contains(&format!("File \"{}\", line 2", server.site.show("lib/broken.py"))), "{message}");
        let message = server.get("/raises.py").error(500);
        assert!(message.contains("ValueError: half-way"), "{message}");
        assert!(message.contains(&format!("File \"{}\", line 3", server.site.show("lib/raises.py"))), "{message}");
        // The second import does not get a half-finished module either.
        assert!(server.get("/raises.py").error(500).contains("ValueError: half-way"));
        server.site.write("lib/broken.py", "X = 'mended'\n");
        server.site.write("lib/raises.py", "X = 'mended, too'\n");
        assert_eq!(server.get("/syntax.py").ok(), "mended");
        assert_eq!(server.get("/raises.py").ok(), "mended, too");
    });
}

#[test]
fn threads_that_import_one_helper_at_once_share_it() {
    for count in [2, 20] {
        let server = serve(
            "strict",
            &[
                ("lib/__init__.py", ""),
                ("lib/tally.py", "executed = []\n"),
                (
                    "lib/slow.py",
                    "import time\nfrom lib import tally\ntally.executed.append(1)\ntime.sleep(0.4)\nLAST = 'whole'\n",
                ),
                ("h.py", &shows("from lib import slow, tally", "(slow.LAST, id(slow), len(tally.executed))")),
            ],
        );
        let mut clients: Vec<_> = (0..count).map(|_| server.connect()).collect();
        for client in &mut clients {
            client.send(get("/h.py"));
        }
        let answers: Vec<String> = clients.iter_mut().map(|client| client.answer().ok()).collect();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        assert!(answers[0].starts_with("('whole', ") && answers[0].ends_with(", 1)"), "{answers:?}");
    }
}

#[test]
fn a_thread_of_a_handler_imports() {
    let handler = "import threading\n\
                   NAMES = ['csv', 'difflib', 'fractions', 'statistics', 'xml.etree.ElementTree', 'wsgiref.util', 'lib.helper']\n\
                   def main(request, response):\n\
                   \x20   done = []\n\
                   \x20   def work(name):\n\
                   \x20       __import__(name)\n\
                   \x20       done.append(name)\n\
                   \x20   threads = [threading.Thread(target=work, args=(name,)) for name in NAMES for _ in range(3)]\n\
                   \x20   for thread in threads: thread.start()\n\
                   \x20   for thread in threads: thread.join()\n\
                   \x20   return str(sorted(done) == sorted(NAMES * 3))\n";
    let files = [("lib/__init__.py", ""), ("lib/helper.py", "import json, decimal\n"), ("h.py", handler)];
    assert_eq!(Server::start(&files).get("/h.py").ok(), "True");
}

#[test]
fn an_edited_file_counts_from_the_next_request_on() {
    let files = [
        ("lib/__init__.py", ""),
        ("lib/base.py", "VALUE = 'old'\ndef f():\n    return VALUE\n"),
        ("lib/user.py", "from lib.base import f\nimport lib.base\ndef g():\n    return f() + ' ' + lib.base.VALUE\n"),
        ("h.py", &shows("from lib.user import g", "g()")),
        ("plain.py", &shows("", "'old'")),
        ("state/__init__.py", ""),
        ("state/kept.py", "n = 0\n"),
        (
            "count.py",
            "from state import kept\nfresh = 0\ndef main(request, response):\n    global fresh\n    kept.n += 1\n    fresh += 1\n    return '%d %d' % (kept.n, fresh)\n",
        ),
    ];
    both(&files, |server| {
        assert_eq!(server.get("/h.py").ok(), "old old");
        assert_eq!(server.get("/plain.py").ok(), "old");
        for n in 1..4 {
            assert_eq!(server.get("/count.py").ok(), format!("{n} 1"), "helpers keep state, handlers start afresh");
        }
        server.site.write("lib/base.py", "VALUE = 'new'\ndef f():\n    return VALUE + '!'\n");
        assert_eq!(server.get("/h.py").ok(), "new! new", "also through a helper that has imported from it");
        server.site.write("plain.py", &shows("", "'new one'"));
        assert_eq!(server.get("/plain.py").ok(), "new one");
        assert_eq!(server.get("/count.py").ok(), "4 1", "the others keep their state");
        server.site.remove("lib/base.py");
        assert!(server.get("/h.py").error(500).contains("lib.base"));
    });
}

/// Puts `directory`, an expression, on `sys.path` with `how`, takes it off again after the imports, and answers with the value.
fn with_path(how: &str, directory: &str, imports: &str, value: &str) -> String {
    format!(
        "import os, sys\n\
         before = list(sys.path)\n\
         HERE = os.path.dirname(__file__)\n\
         {how}({directory})\n\
         {imports}\n\
         def main(request, response):\n\
         \x20   sys.path[:] = before\n\
         \x20   return str({value})\n"
    )
}

#[test]
fn directories_on_sys_path_come_after_the_doc_root() {
    let outside = crate::util::Site::new(&[
        ("far.py", "NAME = __name__\nFILE = __file__\n"),
        ("both.py", "NAME = 'outside'\n"),
        ("colorsys.py", "NAME = 'outside'\n"),
        ("sched.py", "NAME = 'outside'\n"),
        ("kit/__init__.py", "from .inner import NAME\n"),
        ("kit/inner.py", "NAME = __name__\n"),
        ("loose/part.py", "NAME = __name__\n"),
    ]);
    let place = format!("'{}'", outside.path().display());
    let files = [
        ("lib/near.py", "NAME = __name__\nFILE = __file__\n"),
        ("both.py", "NAME = 'doc root'\n"),
        ("lib/h.py", &*with_path("sys.path.insert", "0, HERE", "import near", "(near.NAME, near.FILE)")),
        ("far.py.txt", ""),
        ("far_.py", &with_path("sys.path.append", &place, "import far", "(far.NAME, far.FILE)")),
        ("both_.py", &with_path("sys.path.insert", &format!("0, {place}"), "import both", "both.NAME")),
        ("kit_.py", &with_path("sys.path.append", &place, "import kit.inner", "(kit.NAME, kit.__path__)")),
        ("front.py", &with_path("sys.path.insert", &format!("0, {place}"), "import colorsys", "colorsys.NAME")),
        ("behind.py", &with_path("sys.path.append", &place, "import sched", "hasattr(sched, 'scheduler')")),
        (
            "odd.py",
            &with_path("sys.path.extend", &format!("[b'x', None, 5, '/nowhere', {place}]"), "import far", "far.NAME"),
        ),
        ("without.py", &shows("import far_away", "1")),
        ("loose_.py", &with_path("sys.path.append", &place, "import loose.part", "loose.part.NAME")),
    ];
    both(&files, |server| {
        let near = server.site.show("lib/near.py");
        assert_eq!(server.get("/lib/h.py").ok(), format!("('near', '{near}')"));
        assert_eq!(server.get("/far_.py").ok(), format!("('far', '{}')", outside.show("far.py")));
        assert_eq!(server.get("/both_.py").ok(), "doc root");
        assert_eq!(server.get("/kit_.py").ok(), format!("('kit.inner', ['{}'])", outside.show("kit")));
        assert_eq!(server.get("/front.py").ok(), "outside", "in front of the standard library, as in CPython");
        assert_eq!(server.get("/behind.py").ok(), "True", "behind the standard library, as in CPython");
        assert_eq!(server.get("/odd.py").ok(), "far");
        assert!(server.get("/without.py").error(500).contains("No module named 'far_away'"));
    });
    let message = serve("strict", &files).get("/loose_.py").error(500);
    assert!(message.contains(&format!("create {} ", outside.show("loose/__init__.py"))), "{message}");
    assert_eq!(serve("warn", &files).get("/loose_.py").ok(), "loose.part");
}

#[test]
fn a_namespace_package_lies_in_all_directories_of_sys_path() {
    let files = [
        ("one/shared/a.py", "NAME = 'a'\n"),
        ("two/shared/b.py", "NAME = 'b'\n"),
        (
            "h.py",
            &*with_path(
                "sys.path.extend",
                "[os.path.join(HERE, 'one'), os.path.join(HERE, 'two')]",
                "import shared.a, shared.b",
                "shared.a.NAME + shared.b.NAME",
            ),
        ),
    ];
    assert_eq!(serve("warn", &files).get("/h.py").ok(), "ab");
}

#[test]
fn a_changed_helper_from_sys_path_is_imported_anew() {
    let outside = crate::util::Site::new(&[
        ("tool.py", "count = 0\ndef value():\n    return 'old'\n"),
        ("user.py", "from tool import value\ndef show():\n    return value()\n"),
    ]);
    let path = format!("0, '{}'", outside.path().display());
    let server = Server::start(&[
        ("h.py", &with_path("sys.path.insert", &path, "import tool, user", "(user.show(), tool.__name__)")),
        (
            "count.py",
            &format!(
                "import sys\nsys.path.insert({path})\nimport tool\ndef main(request, response):\n    tool.count += 1\n    return str(tool.count)\n"
            ),
        ),
    ]);
    assert_eq!(server.get("/h.py").ok(), "('old', 'tool')");
    for n in 1..4 {
        assert_eq!(server.get("/count.py").ok(), n.to_string(), "it keeps its state, however often the path is added");
    }
    outside.write("tool.py", "count = 0\ndef value():\n    return 'new one'\n");
    assert_eq!(server.get("/h.py").ok(), "('new one', 'tool')");
    outside.remove("tool.py");
    assert!(server.get("/h.py").error(500).contains("No module named 'tool'"));
}

#[test]
fn nothing_of_the_host_is_imported_or_run() {
    let host = crate::util::Site::new(&[
        ("path/json.py", "raise SystemExit('poisoned')\n"),
        ("path/sitecustomize.py", "raise SystemExit('poisoned')\n"),
        ("path/usercustomize.py", "raise SystemExit('poisoned')\n"),
        ("path/onhost.py", "X = 1\n"),
        ("cwd/incwd.py", "X = 1\n"),
        ("cwd/json.py", "raise SystemExit('poisoned')\n"),
        ("bin/python", "#!/bin/sh\necho poisoned >&2\nexit 3\n"),
    ]);
    let python = host.path().join("bin/python");
    std::fs::set_permissions(python, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let server = Launch::new(&[
        ("json.py.txt", ""),
        ("h.py", &shows("import json, sys", "json.dumps([sys.path, sys.executable, sys.argv, sys.flags.isolated])")),
        ("try.py", "import importlib\ndef main(request, response):\n    return repr(importlib.import_module(request.GET.first(b'm').decode()))\n"),
        ("here.py", "import os\ndef main(request, response):\n    return os.getcwd()\n"),
    ])
    .env("PYTHONPATH", host.path().join("path"))
    .env("PYTHONHOME", host.path().join("path"))
    .env("PYTHONSTARTUP", host.path().join("path/json.py"))
    .env("RUSTPYTHONPATH", host.path().join("path"))
    .env("PATH", format!("{}:{}", host.path().join("bin").display(), std::env::var("PATH").unwrap()))
    .current_dir(&host.path().join("cwd"))
    .start();
    let root = server.site.path().display();
    assert_eq!(server.get("/h.py").ok(), format!("[[\"{root}\"], \"\", [\"wptserve\"], 1]"));
    assert_eq!(server.get("/here.py").ok(), root.to_string());
    for module in ["sitecustomize", "usercustomize", "onhost", "incwd", "pip", "wptserve.router"] {
        let message = server.get(&format!("/try.py?m={module}")).error(500);
        assert!(message.contains(&format!("No module named '{module}'")), "{message}");
    }
    assert!(!server.log().contains("poisoned"), "{}", server.log());
}

#[test]
fn a_file_named_like_a_module_that_the_server_needs_does_not_stop_it() {
    let server = Server::start(&[
        ("json.py", "raise RuntimeError('not this one')\n"),
        ("re.py", "raise RuntimeError('nor this')\n"),
        ("csv.py", "mine = 'the file of the checkout'\n"),
        ("h.py", &shows("import json, re, csv", "json.dumps([re.escape('.'), csv.mine])")),
    ]);
    assert_eq!(server.get("/h.py").ok(), r#"["\\.", "the file of the checkout"]"#);
}

#[test]
fn text_is_utf_8_whatever_the_locale_of_the_host_is() {
    let handler = "import os\n\
                   def main(request, response):\n\
                   \x20   print('h\u{e9}llo')\n\
                   \x20   with open(os.path.join(os.path.dirname(__file__), 'data.txt')) as file:\n\
                   \x20       return repr([file.read(), file.encoding.lower()])\n";
    for locale in ["C", "POSIX", "de_DE.ISO-8859-1"] {
        let server = Launch::new(&[("h.py", handler), ("data.txt", "h\u{e9}llo")])
            .env("LC_ALL", locale)
            .env("LANG", locale)
            .env("PYTHONIOENCODING", "ascii")
            .start();
        assert_eq!(server.get("/h.py").ok(), "['h\u{e9}llo', 'utf-8']", "{locale}");
    }
}

#[test]
fn a_module_that_only_cpython_has_is_named_with_what_to_use_instead() {
    let server = Server::start(&[
        ("ssl_.py", &shows("import ssl", "1")),
        ("tk_.py", &shows("import tkinter.ttk", "1")),
        ("venv_.py", &shows("import venv", "1")),
        ("zstd_.py", &shows("import compression.zstd", "1")),
        ("cgi_.py", &shows("from cgi import parse_header", "1")),
        ("caught.py", &shows("try:\n    import cgi\nexcept ImportError as error:\n    name = error.name", "name")),
        // `http.client` and `smtplib` import this module as well.
        ("client.py", &shows("import http.client, smtplib, urllib.request", "hasattr(http.client, 'HTTPSConnection')")),
    ]);
    let message = server.get("/ssl_.py").error(500);
    assert!(message.contains("ModuleNotFoundError: No module named 'ssl': the server's Python"), "{message}");
    for (file, module) in [("tk_", "tkinter"), ("venv_", "venv"), ("zstd_", "compression.zstd")] {
        let message = server.get(&format!("/{file}.py")).error(500);
        let expected = format!("ModuleNotFoundError: No module named '{module}': the server's Python does not have it");
        assert!(message.contains(&expected), "{message}");
    }
    let message = server.get("/cgi_.py").error(500);
    assert!(message.contains("use request.POST for forms"), "{message}");
    assert_eq!(server.get("/caught.py").ok(), "cgi");
    assert_eq!(server.get("/client.py").ok(), "False");
}

#[test]
fn the_standard_modules_that_handlers_use_are_there() {
    let modules = "time os json sys importlib urllib.parse urllib.request urllib.error re datetime random base64 io uuid string \
                   gzip zlib array math encodings html html.parser mimetypes hashlib hmac struct threading codecs copy queue pathlib typing \
                   enum logging collections collections.abc itertools functools operator contextlib tempfile shutil glob \
                   textwrap traceback types warnings http http.client http.cookies http.server email email.utils email.parser socket select \
                   subprocess binascii calendar secrets dataclasses abc errno inspect unittest xml.etree.ElementTree";
    let import: String = modules.split_whitespace().map(|module| format!("import {module}\n")).collect();
    let server = Server::start(&[
        ("all.py", &shows(&import, "urllib.parse.quote('a b') + base64.b64encode(b'x').decode()")),
        (
            "one.py",
            "import importlib\ndef main(request, response):\n    importlib.import_module(request.GET.first(b'm').decode())\n    return b''\n",
        ),
    ]);
    let missing: Vec<&str> =
        modules.split_whitespace().filter(|m| server.get(&format!("/one.py?m={m}")).code() != 200).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(server.get("/all.py").ok(), "a%20beA==");
}
