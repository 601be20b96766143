//! Pipes: `?pipe=` in a query and `.sub.` in a file name change an answer before it is sent. So does [`inject`], for a whole server.
//!
//! Follows wptserve 4.0.3, `pipes.py`. A pipe sees an answer only as a [`Target`], so that plain replies and the Python
//! `response` object can both be piped, and the request only as a [`Context`]. No code here sleeps: a
//! trickle is returned as a schedule.

mod context;
mod error;
mod functions;
pub mod inject;
mod pipe;
mod reply;
pub mod template;
mod tokenizer;
mod tokens;
mod value;

pub use context::Context;
pub use error::{Key, PipeError, decode_utf8};
pub use pipe::{Pipe, Pipeline, Target};
pub use reply::{Piped, ReplyError};

use crate::{docroot::extension, http::url::unquote};

/// The pipes that a file's name and the query ask for, if any (wptserve 4.0.3, `handlers.py`, `wrap_pipeline`).
///
/// `.sub.` counts anywhere in the path, also in the name of a directory; the last `pipe` of the query counts.
pub fn requested(path: &str, query: &str) -> Option<String> {
    let mut pipes = String::new();
    if path.contains(".sub.") {
        let markup = matches!(extension(path.as_ref()), b"html" | b"htm" | b"xht" | b"xhtml" | b"xml" | b"svg");
        pipes.push_str(if markup { "sub(html)" } else { "sub(none)" });
    }
    if let Some(query_pipes) = last_pipe(query) {
        if !pipes.is_empty() {
            pipes.push('|');
        }
        pipes.push_str(&query_pipes);
    }
    (!pipes.is_empty()).then_some(pipes)
}

/// wptserve 4.0.3, `handlers.py`, `parse_qs`: a parameter without a value does not count, escapes are UTF-8.
fn last_pipe(query: &str) -> Option<String> {
    let decode = |text: &str| unquote(&text.replace('+', " ")).into_owned();
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('=')).filter(|(_, value)| !value.is_empty());
    let (_, value) = pairs.rfind(|(name, _)| decode(name) == "pipe")?;
    Some(decode(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipes_come_from_path_and_query() {
        for (path, query, expected) in [
            ("", "", None),
            ("/r/a.html", "pipes=a&pipe", None),
            ("/r/a.html", "pipe=&pipe=", None),
            ("/r/a.html", "pipe=a&pipe=b", Some("b")),
            ("/r/a.html", "pipe=a&pipe=", Some("a")),
            ("/r/a.html", "%70ipe=a=b;c+%7Cd%E9%C3%A9", Some("a=b;c |d\u{fffd}\u{e9}")),
            ("/r/a.sub.html", "", Some("sub(html)")),
            ("/r/a.sub.js", "", Some("sub(none)")),
            ("/r/a.sub.HTML", "", Some("sub(none)")),
            ("/r/a.sub.", "", Some("sub(none)")),
            ("/r/.sub.xml", "", Some("sub(html)")),
            ("/r.sub.d/a.svg", "pipe=gzip", Some("sub(html)|gzip")),
            ("/r/a.sub.js", "pipe=|", Some("sub(none)||")),
        ] {
            assert_eq!(requested(path, query).as_deref(), expected, "{path} {query}");
        }
    }
}
