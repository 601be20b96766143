//! Filling in the pages around a test that is only a script, from the router's table.
//!
//! Follows `wpt serve` of 2026, `tools/serve/serve.py`, `WrapperHandler.handle_request`: first the headers, then the check that the
//! test is meant for the page, then the page, then the pipes.

pub(crate) mod frontmatter;
pub(crate) mod metadata;
pub(crate) mod yaml;

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use bytes::Bytes;

use super::{
    error::ContentError,
    headers::{self, HeaderList},
    open::open,
    transform::pipe,
};
use crate::{
    docroot::DocRoot,
    http::{Body, Reply, text::escape_html},
    pipes::{Context, decode_utf8},
    route::{Dialect, Replace, Wrapper},
};
use frontmatter::Record;

pub(super) fn serve(wrapper: &Wrapper, files: &DocRoot, context: &Context<'_>) -> Result<Reply, ContentError> {
    let parts = &context.request.url_parts;
    let script = script_path(wrapper, files.resolve(&parts.path)?.as_path());
    let mut headers = HeaderList::default();
    for (name, value) in wrapper.headers {
        headers.set(*name, *value);
    }
    for (name, value) in headers::fields(&script, context)? {
        headers.set(name, value);
    }
    let source = read(&script)?;
    check_scope(wrapper, &source)?;
    let (meta, scripts) = lines(wrapper.dialect, &source, &script)?;
    let path = replaced(wrapper, &parts.path, |replace| replace.loads);
    let query = if parts.query.is_empty() { String::new() } else { format!("?{}", parts.query) };
    let page = fill(wrapper.page, &meta.join("\n"), &scripts.join("\n"), &path, &query);
    let mut reply = Reply::new(200, Body::Bytes(page));
    reply.headers = headers.into_fields();
    // The path that the page loads decides which pipes apply.
    pipe(&path, reply, context)
}

/// The script's file.
fn script_path(wrapper: &Wrapper, page: &Path) -> PathBuf {
    let name = page.file_name().unwrap_or_default().to_string_lossy();
    page.with_file_name(replaced(wrapper, &name, |replace| replace.file))
}

fn replaced(wrapper: &Wrapper, path: &str, end: impl Fn(&Replace) -> &'static str) -> String {
    wrapper.replace.iter().fold(path.to_owned(), |path, replace| match path.strip_suffix(replace.from) {
        Some(start) => format!("{start}{}", end(replace)),
        None => path,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, ContentError> {
    let (mut file, _) = open(path)?;
    let mut source = Vec::new();
    file.read_to_end(&mut source)?;
    Ok(source)
}

/// The first `global` counts; the lines behind it are not read.
fn check_scope(wrapper: &Wrapper, source: &[u8]) -> Result<(), ContentError> {
    let Some(scope) = wrapper.scope else { return Ok(()) };
    let mut global = String::new();
    for entry in metadata::entries(source) {
        let (key, value) = entry?;
        if key == "global" {
            global = value;
            break;
        }
    }
    if metadata::is_meant_for(&global, scope) {
        return Ok(());
    }
    // Python's text of an exception with two arguments.
    Err(ContentError::NotExposed(format!("(404, 'This test cannot be loaded in {scope} mode')")))
}

/// The lines for `@meta@` and for `@script@`.
fn lines(dialect: Dialect, source: &[u8], script: &Path) -> Result<(Vec<String>, Vec<String>), ContentError> {
    let (mut meta, mut scripts) = (Vec::new(), Vec::new());
    for entry in metadata::entries(source) {
        let (key, value) = entry?;
        match (dialect, key.as_str()) {
            (Dialect::Strict, _) => {}
            (Dialect::Worker(before, after), "script") => scripts.push(format!("{before}{}{after}", quoted(&value))),
            (Dialect::Worker(..), "title") => scripts.push(format!("self.META_TITLE = \"{}\";", quoted(&value))),
            (Dialect::Worker(..), _) => {}
            (_, "timeout") if value == "long" => meta.push("<meta name=\"timeout\" content=\"long\">".to_owned()),
            (_, "title") => {
                meta.push(format!("<title>{}</title>", value.replace('&', "&amp;").replace('<', "&lt;")));
            }
            (Dialect::ShadowRealm, "script") => scripts.push(format!("await import(\"{value}\");")),
            (_, "script") => {
                let url = value.replace('&', "&amp;").replace('"', "&quot;");
                scripts.push(format!("<script src=\"{url}\"></script>"));
            }
            _ => {}
        }
    }
    match dialect {
        Dialect::Strict => scripts.push(text(source)?),
        Dialect::Test262 => {
            if let Some(record) = frontmatter::parse(&text(source)?, &script.to_string_lossy())? {
                add_frontmatter(&record, &mut meta, &mut scripts);
            }
        }
        _ => {}
    }
    Ok((meta, scripts))
}

fn add_frontmatter(record: &Record, meta: &mut Vec<String>, scripts: &mut Vec<String>) {
    const HARNESS: &str = "/third_party/test262/harness";
    if let Some((kind, phase)) = &record.negative {
        meta.push(format!("<script>test262Negative('{kind}', '{phase}')</script>"));
    }
    for name in &record.includes {
        scripts.push(format!("<script src=\"{HARNESS}/{}\"></script>", escape_html(name, true)));
    }
    if record.is_async {
        meta.push("<script>test262IsAsync(true)</script>".to_owned());
        scripts.push(format!("<script src=\"{HARNESS}/doneprintHandle.js\"></script>"));
    }
}

/// For a JavaScript string in double quotes.
fn quoted(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"")
}

/// A file as text; all line ends become line feeds.
fn text(source: &[u8]) -> Result<String, ContentError> {
    Ok(decode_utf8(source)?.replace("\r\n", "\n").replace('\r', "\n"))
}

/// Puts the values into the page. Names inside a value are not replaced.
fn fill(page: &[&str], meta: &str, script: &str, path: &str, query: &str) -> Bytes {
    let mut out = String::new();
    for piece in page {
        // Every second part is the name of a value, because the pages use the sign `@` only around names.
        for (at, part) in piece.split('@').enumerate() {
            out.push_str(match part {
                "meta" if at % 2 == 1 => meta,
                "script" if at % 2 == 1 => script,
                "path" if at % 2 == 1 => path,
                "query" if at % 2 == 1 => query,
                text => text,
            });
        }
    }
    out.into()
}
