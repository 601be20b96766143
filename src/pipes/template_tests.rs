//! Templates over one request, as a table: what wptserve 4.0.3 makes of each under CPython 3.11.
//!
//! In `tables/templates.txt` a line `>>> template` is followed by the result with html escaping, or `!` and the exception, and,
//! where that differs, by the result without escaping. `-` stands for a result that is never the same.

use std::{fs, path::Path};

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::http::{HeadReader, HeadStep, Request, Scheme};

const REQUEST: &[u8] = b"GET /dir/p\xe9?q=%3Cb%27%3E&q=2&%E9=x&empty=&utf=%C3%A9&latin=%E9 HTTP/1.1\r\n\
    Host: web-platform.test:8000\r\nX-Test: <1> & \"2\"\r\nx-test: second\r\nX-Utf: \xc3\xa9\r\nX-Latin: \xe9\r\n\r\n";

fn request() -> Request {
    let HeadStep::Head { head, .. } = HeadReader::default().step(REQUEST, true) else { panic!() };
    Request::new(head, Scheme::Http, "h".into(), 1, ("c".into(), 2)).unwrap()
}

fn config() -> Json {
    json!({
        "browser_host": "web-platform.test",
        "ports": {"http": [8000, 8001], "https": [8443]},
        "all_domains": {
            "": {"": "web-platform.test", "www": "www.web-platform.test", "\u{e9}l\u{e8}ve": "xn--lve-6lad.web-platform.test"},
            "alt": {"": "not.test"},
        },
        "check_subdomains": true,
        "aliases": [],
        "subdomains": ["www"],
        "ssl_config": null,
        "server_host": "<&>",
        "deep": {"list": ["a", {"b": -3}], "float": 1.5},
    })
}

#[test]
fn templates_give_what_they_give_in_wptserve() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("dir")).unwrap();
    fs::write(root.path().join("a.txt"), "abc").unwrap();
    let (request, config) = (request(), config());
    let context = Context { request: &request, config: &config, doc_root: root.path(), url_base: "/" };
    let substitute = |template: &str, escape| {
        let result = substitute(&Bytes::copy_from_slice(template.as_bytes()), Some(escape), &context);
        let text = result.map_or_else(|error| format!("!{error}"), |bytes| String::from_utf8(bytes.to_vec()).unwrap());
        text.replace(root.path().to_str().unwrap(), "ROOT")
    };
    let mut template = "";
    let mut count = 0;
    for line in include_str!("tables/templates.txt").lines() {
        if let Some(next) = line.strip_prefix(">>> ") {
            template = next;
        } else if let Some(expected) = line.strip_prefix("none: ") {
            assert_eq!(substitute(template, "none"), expected, "{template}");
        } else if line == "-" {
            assert!(!substitute(template, "html").starts_with('!'), "{template}");
        } else {
            assert_eq!(substitute(template, "html"), line, "{template}");
            count += 1;
        }
    }
    assert!(count > 100);
}

#[test]
fn the_way_of_escaping_matters_only_where_something_is_escaped() {
    let (request, config) = (request(), config());
    let context = Context { request: &request, config: &config, doc_root: Path::new("/nowhere"), url_base: "/" };
    for (template, escape, expected) in [
        ("no template", Some("x"), Ok("no template")),
        ("{{host}}", Some("x"), Err("KeyError: 'x'")),
        ("{{host}}", Some(""), Err("KeyError: ''")),
        ("{{host}}", None, Err("KeyError: None")),
        ("{{ports}}", Some("x"), Err("AssertionError: deque([])")),
        ("{{headers[x-latin]}}", Some("x"), Err("KeyError: 'x'")),
    ] {
        let result = substitute(&Bytes::from(template), escape, &context).map_err(|error| error.to_string());
        assert_eq!(result, expected.map(Bytes::from).map_err(str::to_owned), "{template}");
    }
}

#[test]
fn many_openings_are_read_in_linear_time() {
    let content = "{{".repeat(1_000_000) + "}";
    assert_eq!(templates(content.as_bytes()).count(), 0);
}

proptest! {
    #[test]
    fn never_panics(template in r"([{}]|\$|\[|\]|\(|\)|,|:|host|ports|http|0|-1|GET|q|uuid|\PC){0,30}") {
        let (request, config) = (request(), config());
        let context = Context { request: &request, config: &config, doc_root: Path::new("/nowhere"), url_base: "/" };
        let _ = substitute(&Bytes::from(format!("{{{{{template}}}}}")), Some("html"), &context);
    }
}
