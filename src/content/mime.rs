//! Content types by file extension.
//!
//! The table of wptserve 4.0.3, `constants.py`, looked up as `handlers.py`, `guess_content_type` does: the extension is what
//! Python's `os.path.splitext` leaves, and its case counts (`A.HTML` is a stream of octets). Types are never guessed from content.

use std::{collections::HashMap, path::Path, sync::LazyLock};

use mime::Mime;

use crate::docroot::extension;

const TYPES: [(&str, &[&str]); 25] = [
    ("application/json", &["json"]),
    ("application/wasm", &["wasm"]),
    ("application/xhtml+xml", &["xht", "xhtm", "xhtml"]),
    ("application/xml", &["xml"]),
    ("application/x-xpinstall", &["xpi"]),
    ("audio/mp4", &["m4a"]),
    ("audio/mpeg", &["mp3"]),
    ("audio/ogg", &["oga"]),
    ("audio/webm", &["weba"]),
    ("audio/x-wav", &["wav"]),
    ("image/avif", &["avif"]),
    ("image/bmp", &["bmp"]),
    ("image/gif", &["gif"]),
    ("image/jpeg", &["jpg", "jpeg"]),
    ("image/png", &["png"]),
    ("image/svg+xml", &["svg"]),
    ("text/cache-manifest", &["manifest"]),
    ("text/css", &["css"]),
    ("text/event-stream", &["event_stream"]),
    ("text/html", &["htm", "html"]),
    ("text/javascript", &["js", "mjs"]),
    ("text/plain", &["txt", "md"]),
    ("text/vtt", &["vtt"]),
    ("video/mp4", &["mp4", "m4v"]),
    ("video/webm", &["webm"]),
];

static BY_EXTENSION: LazyLock<HashMap<&'static [u8], Mime>> = LazyLock::new(|| {
    let pairs = TYPES.iter().flat_map(|(text, extensions)| extensions.iter().map(move |ext| (ext.as_bytes(), text)));
    pairs.filter_map(|(extension, text)| Some((extension, text.parse().ok()?))).collect()
});

/// The content type for the file at `path`, `application/octet-stream` if its extension is not in the table.
pub fn guess(path: &Path) -> &'static Mime {
    static OTHER: Mime = mime::APPLICATION_OCTET_STREAM;
    BY_EXTENSION.get(extension(path)).unwrap_or(&OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_come_out_as_they_went_in() {
        for (text, extensions) in TYPES {
            for extension in extensions {
                assert_eq!(guess(Path::new(&format!("/d/a.{extension}"))).to_string(), text);
            }
        }
        assert_eq!(BY_EXTENSION.len(), TYPES.iter().map(|(_, extensions)| extensions.len()).sum::<usize>());
    }

    #[test]
    fn extensions_are_those_of_python() {
        for (path, expected) in [
            ("/d/a.sub.html", "text/html"),
            ("/d/a.HTML", "application/octet-stream"),
            ("/d/.html", "application/octet-stream"),
            ("/d/..html", "application/octet-stream"),
            ("/d/a..html", "text/html"),
            ("/d/..a.html", "text/html"),
            ("/d.html/a", "application/octet-stream"),
            ("/d/a.", "application/octet-stream"),
            ("/d/html", "application/octet-stream"),
            ("/d/a.tar.gz", "application/octet-stream"),
            ("/d/a.html.headers", "application/octet-stream"),
        ] {
            assert_eq!(guess(Path::new(path)).as_ref(), expected, "{path}");
        }
    }
}
