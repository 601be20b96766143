//! `?pipe=` and templates.

use std::{path::Path, sync::LazyLock};

use bytes::Bytes;
use serde_json::{Value, json};

use super::Target;
use crate::{
    http::{Body, Head, HeadReader, HeadStep, Reply, Request, Scheme, trickle},
    input::Dice,
    meter::Bounds,
    pipes::{Context, Piped, Pipeline, requested, template::substitute},
};

/// A schedule may step back and send the content again and again; `gzip` has a window of its own.
pub const PIPES: Target = Target {
    name: "pipes",
    bounds: Bounds { work: 50_000_000, work_per_byte: 100_000, memory: 64 << 20, memory_per_byte: 1_000 },
    run: pipes,
};

/// A value that is put in may be much longer than its name.
pub const TEMPLATE: Target = Target {
    name: "template",
    bounds: Bounds { work: 200_000, work_per_byte: 20_000, memory: 256 * 1024, memory_per_byte: 1_000 },
    run: template,
};

static CONFIG: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "browser_host": "web-platform.test",
        "all_domains": {"": {"": "web-platform.test", "www": "www.web-platform.test"}, "alt": {"": "not-web-platform.test"}},
        "ports": {"http": [8000, 8001], "https": [8443, null], "h2": []},
        "subdomains": ["www"], "aliases": [], "float": 1.5, "none": null, "true": true, "text": "it's",
    })
});

static REQUEST: LazyLock<Request> = LazyLock::new(|| {
    let head =
        b"GET /a/b.sub.html?x=1&y=%E9&x=2 HTTP/1.1\r\nHost: h:8000\r\nX-Text: <a & \"b\">\r\nX-Bytes: \xe9\r\n\r\n";
    let HeadStep::Head { head, .. } = HeadReader::default().step(head, false) else {
        panic!("the request is no request")
    };
    Request::new(head, Scheme::Http, "web-platform.test".into(), 8000, ("127.0.0.1".into(), 1)).unwrap()
});

fn context() -> Context<'static> {
    Context { request: &REQUEST, config: &CONFIG, doc_root: Path::new("/nonexistent/root"), url_base: "/" }
}

/// A pipe string, applied to a short answer.
///
/// * It is refused, or leaves an answer.
/// * A trickle sends something or comes to an end: no step is empty, and a stall is said.
/// * What the query asks for is found.
fn pipes(data: &[u8]) {
    let (mut dice, text) = Dice::split(data);
    let text = String::from_utf8_lossy(text);
    let quoted = format!("pipe={}", crate::http::url::quote(&text));
    let asked = requested("/a.html", &quoted);
    assert_eq!(asked.as_deref().unwrap_or_default(), text);

    let Ok(pipeline) = Pipeline::parse(&text) else { return };
    let content = Bytes::from(vec![b'x'; [0, 1, 16, 200][dice.roll(4)]]);
    let reply = Reply::new(200, Body::Bytes(content));
    let mut piped = Piped::new(reply, context());
    if pipeline.apply(&mut piped).is_err() {
        return;
    }
    if let Body::Trickle(schedule) = piped.into_reply().body {
        for step in schedule.take(1000) {
            if let trickle::TrickleStep::Send(bytes) = step {
                assert!(!bytes.is_empty());
            }
        }
    }
}

/// Content with templates.
///
/// * Content without `{{` stays as it is.
/// * With nothing to put in that has braces, what comes out has no template left that could be read.
fn template(data: &[u8]) {
    let (mut dice, text) = Dice::split(data);
    let escape = [Some("html"), Some("none"), None, Some("other")][dice.roll(4)];
    let content = Bytes::copy_from_slice(text);
    let result = substitute(&content, escape, &context());
    if memchr::memmem::find(text, b"{{").is_none() || memchr::memmem::find(text, b"}}").is_none() {
        assert_eq!(result.unwrap(), content);
    }
}
