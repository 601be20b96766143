//! The pages around a test that is only a script: a table.
//!
//! The bytes are those of `wpt serve` of January 2026, `tools/serve/serve.py`; the kinds for test262 came later in that year. The
//! router chooses the line of the table, and [`crate::content`] fills its page in.

/// One kind of page.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrapper {
    /// The end of the page's path.
    pub suffix: &'static str,
    /// Ends of paths that are replaced, in this order.
    pub replace: &'static [Replace],
    /// The global scope that the test has to be meant for: `// META: global=` lists the scopes.
    pub scope: Option<&'static str>,
    /// Header fields, which come before those of the script's header files.
    pub headers: &'static [(&'static str, &'static str)],
    /// The form in which the `// META:` lines appear in the page.
    pub dialect: Dialect,
    /// The page, in pieces. `@meta@`, `@script@`, `@path@` and `@query@` are replaced.
    pub page: &'static [&'static str],
}

/// The end of a path, and its replacements.
#[derive(Debug, PartialEq, Eq)]
pub struct Replace {
    /// The end.
    pub from: &'static str,
    /// The replacement in the path of the script's file.
    pub file: &'static str,
    /// The replacement in the URL that the page loads, which may be another wrapper.
    pub loads: &'static str,
}

/// The form of a script's metadata in a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// As elements.
    Html,
    /// As elements, but scripts are imported.
    ShadowRealm,
    /// As JavaScript: each URL of a script stands between these two texts.
    Worker(&'static str, &'static str),
    /// As elements, together with the metadata in the frontmatter of test262.
    Test262,
    /// Left out; the text of the file itself is the script.
    Strict,
}

const HTML: &[(&str, &str)] = &[("Content-Type", "text/html")];
const JAVASCRIPT: &[(&str, &str)] = &[("Content-Type", "text/javascript")];
/// The page is isolated, so that it has SharedArrayBuffer.
const ISOLATED: &[(&str, &str)] =
    &[("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Embedder-Policy", "require-corp")];

const fn to(from: &'static str, file: &'static str) -> Replace {
    Replace { from, file, loads: file }
}

const fn via(from: &'static str, file: &'static str, loads: &'static str) -> Replace {
    Replace { from, file, loads }
}

const fn html(
    suffix: &'static str,
    scope: &'static str,
    replace: &'static [Replace],
    page: &'static [&'static str],
) -> Wrapper {
    Wrapper { suffix, replace, scope: Some(scope), headers: HTML, dialect: Dialect::Html, page }
}

const fn worker(
    suffix: &'static str,
    replace: &'static [Replace],
    before: &'static str,
    after: &'static str,
    page: &'static [&'static str],
) -> Wrapper {
    Wrapper { suffix, replace, scope: None, headers: JAVASCRIPT, dialect: Dialect::Worker(before, after), page }
}

const TOP: &str = "<!doctype html>\n<meta charset=utf-8>\n@meta@\n";
const HARNESS: &str =
    "<script src=\"/resources/testharness.js\"></script>\n<script src=\"/resources/testharnessreport.js\"></script>\n";
const LOG: &str = "<div id=log></div>\n";
const SCRIPT_AND_LOG: &str = "@script@\n<div id=log></div>\n";
const CLASSIC: &str = "<script src=\"@path@\"></script>\n";
const OUTER_REALM: &str =
    "<script src=\"/resources/testharness-shadowrealm-outer.js\"></script>\n<script>\n(async function() {\n";
const REALM_FAILS: &str = "})().catch(e => setup(() => { throw e; }));\n</script>\n";
const REGISTRATION: &str = "<script>\n(async function() {\n  const scope = 'does/not/exist';\n  \
    let reg = await navigator.serviceWorker.getRegistration(scope);\n  if (reg) await reg.unregister();\n  \
    reg = await navigator.serviceWorker.register(";
const INSTALLING: &str = ");\n  fetch_tests_from_worker(reg.installing);\n})();\n</script>\n";

const IN_WORKER: &[&str] =
    &[TOP, HARNESS, LOG, "<script>\nfetch_tests_from_worker(new Worker(\"@path@@query@\"));\n</script>\n"];
const IN_MODULE_WORKER: &[&str] = &[
    TOP,
    HARNESS,
    LOG,
    "<script>\nfetch_tests_from_worker(new Worker(\"@path@@query@\", { type: \"module\" }));\n</script>\n",
];
const IN_SHARED_WORKER: &[&str] =
    &[TOP, HARNESS, LOG, "<script>\nfetch_tests_from_worker(new SharedWorker(\"@path@@query@\"));\n</script>\n"];
const IN_SHARED_MODULE_WORKER: &[&str] = &[
    TOP,
    HARNESS,
    LOG,
    "<script>\nfetch_tests_from_worker(new SharedWorker(\"@path@@query@\", { type: \"module\" }));\n</script>\n",
];
const IN_SERVICE_WORKER: &[&str] = &[TOP, HARNESS, LOG, REGISTRATION, "\"@path@@query@\", {scope}", INSTALLING];
const IN_SERVICE_MODULE_WORKER: &[&str] =
    &[TOP, HARNESS, LOG, REGISTRATION, "\n    \"@path@@query@\",\n    { scope, type: 'module' },\n  ", INSTALLING];
const IN_REALM_OF_WINDOW: &[&str] = &[
    TOP,
    HARNESS,
    OUTER_REALM,
    "  const r = new ShadowRealm();\n  await shadowRealmEvalAsync(r, `\n    \
     await import(\"/resources/testharness-shadowrealm-inner.js\");\n    \
     await import(\"/resources/testharness.js\");\n  `);\n  \
     r.evaluate(\"setShadowRealmGlobalProperties\")(location.search, fetchAdaptor);\n\n",
    "  await shadowRealmEvalAsync(r, `\n    @script@\n    await import(\"@path@\");\n  `);\n\n",
    "  await fetch_tests_from_shadow_realm(r);\n  done();\n",
    REALM_FAILS,
];
const IN_REALM_OF_REALM: &[&str] = &[
    TOP,
    HARNESS,
    OUTER_REALM,
    "  const outer = new ShadowRealm();\n  outer.evaluate(`\n    var inner = new ShadowRealm();\n  `);\n",
    "  await shadowRealmEvalAsync(outer, `\n    await import(\"/resources/testharness-shadowrealm-outer.js\");\n    \
     await shadowRealmEvalAsync(inner, \\`\n      await import(\"/resources/testharness-shadowrealm-inner.js\");\n      \
     await import(\"/resources/testharness.js\");\n    \\`);\n  `);\n\n",
    "  outer.evaluate(`\n    inner.evaluate(\"setShadowRealmGlobalProperties\")\n  `)(location.search, fetchAdaptor);\n\n",
    "  await shadowRealmEvalAsync(outer, `\n    await shadowRealmEvalAsync(inner, \\`\n      @script@\n      \
     await import(\"@path@\");\n    \\`);\n  `);\n\n",
    "  outer.evaluate(`\n    function begin_shadow_realm_tests(windowCallback) {\n      \
     inner.evaluate(\"begin_shadow_realm_tests\")(windowCallback);\n    }\n  `);\n",
    "  await fetch_tests_from_shadow_realm(outer);\n  done();\n",
    REALM_FAILS,
];
const IN_REALM_OF_AUDIO_WORKLET: &[&str] = &[
    TOP,
    HARNESS,
    OUTER_REALM,
    "  const context = new AudioContext();\n  await context.audioWorklet.addModule(\n    \
     \"/resources/testharness-shadowrealm-outer.js\");\n  await context.audioWorklet.addModule(\n    \
     \"/resources/testharness-shadowrealm-audioworkletprocessor.js\");\n  \
     await context.audioWorklet.addModule(\"@path@@query@\");\n  \
     const node = new AudioWorkletNode(context, \"test-runner\");\n  setupFakeFetchOverMessagePort(node.port);\n  \
     fetch_tests_from_worker(node.port);\n})();\n</script>\n",
];

const WORKER_GLOBAL: &str = "@meta@\nself.GLOBAL = {\n  isWindow: function() { return false; },\n  \
    isWorker: function() { return true; },\n  isShadowRealm: function() { return false; },\n};\n";
const REALM_OF_WORKER: &str = "  const postMessageFunc = await getPostMessageFunc();\n  try {\n    \
    const r = new ShadowRealm();\n";
const FAKE_IMPORTS: &str = "\n    await shadowRealmEvalAsync(r, `\n      \
    await fakeDynamicImport(\"/resources/testharness-shadowrealm-inner.js\");\n      \
    await fakeDynamicImport(\"/resources/testharness.js\");\n    `);\n";
const REALM_QUERY: &str = "    r.evaluate(\"setShadowRealmGlobalProperties\")(\"@query@\", fetchAdaptor);\n";
const FAKE_TEST: &str =
    "\n    await shadowRealmEvalAsync(r, `\n      @script@\n      await fakeDynamicImport(\"@path@\");\n    `);\n";
const FORWARD: &str = "\n    function forwardMessage(msgJSON) {\n      postMessageFunc(JSON.parse(msgJSON));\n    }\n";
const REALM_OF_WORKER_FAILS: &str = "  } catch (e) {\n    postMessageFunc(createSetupErrorResult(e));\n  }\n})();\n";

const TEST262_FRAME: &[&str] = &[
    "<!doctype html>\n<meta charset=utf-8>\n<title>Test</title>\n",
    HARNESS,
    "<script>\nconst t = async_test(document.title);\n\
     window.test262HarnessDone = t.step_func_done(function(status, message) {\n    if (status === 1) {\n        \
     throw new Error(message || \"Test failed\");\n    } else if (status === 2) {\n        \
     throw new Error(message || \"Harness Error\");\n    }\n});\n</script>\n@meta@\n",
    SCRIPT_AND_LOG,
    "<iframe id=\"test262-iframe\" src=\"@path@\"></iframe>",
];
const TEST262_TOP: &str = "<!doctype html>\n<meta charset=utf-8>\n<title>Test</title>\n\
    <script src=\"/resources/test262/test262-reporter.js\"></script>\n\
    <script src=\"/third_party/test262/harness/assert.js\"></script>\n\
    <script src=\"/third_party/test262/harness/sta.js\"></script>\n\
    <script src=\"/resources/test262/test262-provider.js\"></script>\n@meta@\n@script@";
const TEST262_TEST: &[&str] = &[
    TEST262_TOP,
    "<body><script>test262Setup()</script>\n<script src=\"@path@\" onerror=\"test262ScriptError()\"></script></body>",
];
const TEST262_MODULE: &[&str] = &[
    TEST262_TOP,
    "<body>\n<script>window.__test262IsModule = true;</script>\n<script type=\"module\">\n  test262Setup();\n  \
     import(\"@path@\").then(() => {\n    if (!window.test262Async) {\n      test262Done();\n    }\n  \
     }).catch(error => {\n    setTimeout(() => { throw error; });\n  });\n</script>\n</body>",
];

const fn test262_frame(suffix: &'static str, replace: &'static [Replace]) -> Wrapper {
    Wrapper { suffix, replace, scope: None, headers: HTML, dialect: Dialect::Html, page: TEST262_FRAME }
}

const fn test262(suffix: &'static str, replace: &'static [Replace], page: &'static [&'static str]) -> Wrapper {
    Wrapper { suffix, replace, scope: None, headers: ISOLATED, dialect: Dialect::Test262, page }
}

/// All kinds, in the order in which they are tried: `.any.worker.html` comes before `.worker.html`.
pub(super) static WRAPPERS: [Wrapper; 28] = [
    html(
        ".worker.html",
        "dedicatedworker",
        &[via(".any.worker.html", ".any.js", ".any.worker.js"), to(".worker.html", ".worker.js")],
        IN_WORKER,
    ),
    html(
        ".worker-module.html",
        "dedicatedworker-module",
        &[via(".any.worker-module.html", ".any.js", ".any.worker-module.js"), to(".worker.html", ".worker.js")],
        IN_MODULE_WORKER,
    ),
    Wrapper {
        suffix: ".window.html",
        replace: &[to(".window.html", ".window.js")],
        scope: None,
        headers: HTML,
        dialect: Dialect::Html,
        page: &[TOP, HARNESS, SCRIPT_AND_LOG, CLASSIC],
    },
    test262_frame(".test262.html", &[via(".test262.html", ".js", ".test262-test.html")]),
    test262(".test262-test.html", &[to(".test262-test.html", ".js")], TEST262_TEST),
    test262_frame(".test262-module.html", &[via(".test262-module.html", ".js", ".test262-module-test.html")]),
    test262(".test262-module-test.html", &[to(".test262-module-test.html", ".js")], TEST262_MODULE),
    test262_frame(".test262.strict.html", &[via(".test262.strict.html", ".js", ".test262-test.strict.html")]),
    test262(
        ".test262-test.strict.html",
        &[via(".test262-test.strict.html", ".js", ".test262.strict.js")],
        TEST262_TEST,
    ),
    Wrapper {
        suffix: ".test262.strict.js",
        replace: &[to(".test262.strict.js", ".js")],
        scope: None,
        headers: JAVASCRIPT,
        dialect: Dialect::Strict,
        page: &["\n\"use strict\";\n@script@\n"],
    },
    Wrapper {
        suffix: ".extension.html",
        replace: &[to(".extension.html", ".extension.js")],
        scope: None,
        headers: HTML,
        dialect: Dialect::Html,
        page: &[
            TOP,
            HARNESS,
            "<script src=\"/resources/testdriver.js?feature=extensions\"></script>\n\
             <script src=\"/resources/testdriver-vendor.js\"></script>\n\
             <script src=\"/resources/web-extensions-helper.js\"></script>\n",
            SCRIPT_AND_LOG,
            CLASSIC,
        ],
    },
    html(
        ".any.html",
        "window",
        &[to(".any.html", ".any.js")],
        &[
            TOP,
            "<script>\nself.GLOBAL = {\n  isWindow: function() { return true; },\n  \
             isWorker: function() { return false; },\n  isShadowRealm: function() { return false; },\n};\n</script>\n",
            HARNESS,
            SCRIPT_AND_LOG,
            CLASSIC,
        ],
    ),
    html(
        ".any.sharedworker.html",
        "sharedworker",
        &[via(".any.sharedworker.html", ".any.js", ".any.worker.js")],
        IN_SHARED_WORKER,
    ),
    html(
        ".any.sharedworker-module.html",
        "sharedworker-module",
        &[via(".any.sharedworker-module.html", ".any.js", ".any.worker-module.js")],
        IN_SHARED_MODULE_WORKER,
    ),
    html(
        ".any.serviceworker.html",
        "serviceworker",
        &[via(".any.serviceworker.html", ".any.js", ".any.worker.js")],
        IN_SERVICE_WORKER,
    ),
    html(
        ".any.serviceworker-module.html",
        "serviceworker-module",
        &[via(".any.serviceworker-module.html", ".any.js", ".any.worker-module.js")],
        IN_SERVICE_MODULE_WORKER,
    ),
    Wrapper {
        suffix: ".any.shadowrealm-in-window.html",
        replace: &[to(".any.shadowrealm-in-window.html", ".any.js")],
        scope: Some("shadowrealm-in-window"),
        headers: HTML,
        dialect: Dialect::ShadowRealm,
        page: IN_REALM_OF_WINDOW,
    },
    Wrapper {
        suffix: ".any.shadowrealm-in-shadowrealm.html",
        replace: &[to(".any.shadowrealm-in-shadowrealm.html", ".any.js")],
        scope: Some("shadowrealm-in-shadowrealm"),
        headers: HTML,
        dialect: Dialect::ShadowRealm,
        page: IN_REALM_OF_REALM,
    },
    html(
        ".any.shadowrealm-in-dedicatedworker.html",
        "shadowrealm-in-dedicatedworker",
        &[via(".any.shadowrealm-in-dedicatedworker.html", ".any.js", ".any.worker-shadowrealm.js")],
        IN_WORKER,
    ),
    html(
        ".any.shadowrealm-in-sharedworker.html",
        "shadowrealm-in-sharedworker",
        &[via(".any.shadowrealm-in-sharedworker.html", ".any.js", ".any.worker-shadowrealm.js")],
        IN_SHARED_WORKER,
    ),
    // The next two drop the `.https` of their name: their file is `x.any.js` instead of `x.https.any.js`.
    html(
        ".any.shadowrealm-in-serviceworker.html",
        "shadowrealm-in-serviceworker",
        &[via(".https.any.shadowrealm-in-serviceworker.html", ".any.js", ".any.serviceworker-shadowrealm.js")],
        IN_SERVICE_WORKER,
    ),
    html(
        ".any.shadowrealm-in-audioworklet.html",
        "shadowrealm-in-audioworklet",
        &[via(".https.any.shadowrealm-in-audioworklet.html", ".any.js", ".any.audioworklet-shadowrealm.js")],
        IN_REALM_OF_AUDIO_WORKLET,
    ),
    html(
        ".any.window-module.html",
        "window-module",
        &[to(".any.window-module.html", ".any.js")],
        &[TOP, HARNESS, SCRIPT_AND_LOG, "<script type=module src=\"@path@\"></script>\n"],
    ),
    worker(
        ".any.worker.js",
        &[to(".any.worker.js", ".any.js")],
        "importScripts(\"",
        "\")",
        &[
            WORKER_GLOBAL,
            "importScripts(\"/resources/testharness.js\");\n@script@\nimportScripts(\"@path@\");\ndone();\n",
        ],
    ),
    worker(
        ".any.worker-module.js",
        &[to(".any.worker-module.js", ".any.js")],
        "import \"",
        "\";",
        &[WORKER_GLOBAL, "import \"/resources/testharness.js\";\n@script@\nimport \"@path@\";\ndone();\n"],
    ),
    worker(
        ".any.serviceworker-shadowrealm.js",
        &[to(".any.serviceworker-shadowrealm.js", ".any.js")],
        "await fakeDynamicImport(\"",
        "\");",
        &[
            "@meta@\nimportScripts(\"/resources/testharness-shadowrealm-outer.js\");\n\n(async function () {\n",
            REALM_OF_WORKER,
            "    setupFakeDynamicImportInShadowRealm(r, fetchAdaptor);\n",
            FAKE_IMPORTS,
            REALM_QUERY,
            FAKE_TEST,
            FORWARD,
            "    r.evaluate(\"begin_shadow_realm_tests\")(forwardMessage);\n",
            REALM_OF_WORKER_FAILS,
        ],
    ),
    worker(
        ".any.worker-shadowrealm.js",
        &[to(".any.worker-shadowrealm.js", ".any.js")],
        "await import(\"",
        "\");",
        &[
            "@meta@\nimportScripts(\"/resources/testharness-shadowrealm-outer.js\");\n(async function() {\n",
            REALM_OF_WORKER,
            "    await shadowRealmEvalAsync(r, `\n      \
             await import(\"/resources/testharness-shadowrealm-inner.js\");\n      \
             await import(\"/resources/testharness.js\");\n    `);\n",
            REALM_QUERY,
            "\n    await shadowRealmEvalAsync(r, `\n      @script@\n      await import(\"@path@\");\n    `);\n",
            FORWARD,
            "    r.evaluate('begin_shadow_realm_tests')(forwardMessage);\n",
            REALM_OF_WORKER_FAILS,
        ],
    ),
    worker(
        ".any.audioworklet-shadowrealm.js",
        &[to(".any.audioworklet-shadowrealm.js", ".any.js")],
        "await fakeDynamicImport(\"",
        "\");",
        &[
            "@meta@\nTestRunner.prototype.createShadowRealmAndStartTests = async function() {\n  try {\n    \
             const queryPart = import.meta.url.split('?')[1];\n    \
             const locationSearch = queryPart ? '?' + queryPart : '';\n\n    const r = new ShadowRealm();\n    \
             const adaptor = this.fetchOverPortExecutor.bind(this);\n    \
             setupFakeDynamicImportInShadowRealm(r, adaptor);\n",
            FAKE_IMPORTS,
            "    r.evaluate(\"setShadowRealmGlobalProperties\")(locationSearch, adaptor);\n",
            FAKE_TEST,
            "    const forwardMessage = (msgJSON) =>\n      this.port.postMessage(JSON.parse(msgJSON));\n    \
             r.evaluate(\"begin_shadow_realm_tests\")(forwardMessage);\n  } catch (e) {\n    \
             this.port.postMessage(createSetupErrorResult(e));\n  }\n}\n",
        ],
    ),
];
