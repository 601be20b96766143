//! Unit tests of the URL functions. The expectations hold for CPython 3.11.

use proptest::prelude::*;

use super::*;

#[test]
fn urls_are_split() {
    for (url, parts) in [
        ("http://h:80/a?b#c", ["http", "h:80", "/a", "b", "c"]),
        ("HTTP://H/a", ["http", "H", "/a", "", ""]),
        ("//h/a", ["", "h", "/a", "", ""]),
        ("/a:b//c", ["", "", "/a:b//c", "", ""]),
        ("http://h?b?c#d#e?f", ["http", "h", "", "b?c", "d#e?f"]),
        ("http://h#a?b", ["http", "h", "", "", "a?b"]),
        ("http://u:p@h@x/a", ["http", "u:p@h@x", "/a", "", ""]),
        ("http://h/a b\tc\r\nd", ["http", "h", "/a bcd", "", ""]),
        (" \x01http://h/ ", ["http", "h", "/ ", "", ""]),
        ("ht\ttp://h", ["http", "h", "", "", ""]),
        ("1http://h", ["", "", "1http://h", "", ""]),
        ("\u{e9}:x", ["", "", "\u{e9}:x", "", ""]),
        (":x", ["", "", ":x", "", ""]),
        ("mailto:a@b?c", ["mailto", "", "a@b", "c", ""]),
        ("http:////a", ["http", "", "//a", "", ""]),
        ("http://h:8000*", ["http", "h:8000*", "", "", ""]),
        ("", ["", "", "", "", ""]),
    ] {
        let split = urlsplit(url).unwrap();
        let got = [split.scheme, split.netloc, split.path, split.query, split.fragment];
        assert_eq!(got, parts, "{url:?}");
    }
}

#[test]
fn errors_have_the_text_of_python() {
    for (url, message) in [
        ("http://[a/", "Invalid IPv6 URL"),
        ("http://a]/", "Invalid IPv6 URL"),
        ("http://[1.2.3.4]/", "An IPv4 address cannot be in brackets"),
        ("http://[v1]/", "IPvFuture address is invalid"),
        ("http://[v.x]/", "IPvFuture address is invalid"),
        ("http://[vg.x]/", "IPvFuture address is invalid"),
        ("http://[x]/", "'x' does not appear to be an IPv4 or IPv6 address"),
        ("http://[]/", "'' does not appear to be an IPv4 or IPv6 address"),
        ("http://]::1[/", "'' does not appear to be an IPv4 or IPv6 address"),
        ("http://[::1%]/", "'::1%' does not appear to be an IPv4 or IPv6 address"),
        ("http://[::1%a%b]/", "'::1%a%b' does not appear to be an IPv4 or IPv6 address"),
        ("http://a\u{ff0f}b/", "netloc 'a\u{ff0f}b' contains invalid characters under NFKC normalization"),
    ] {
        assert_eq!(urlsplit(url).map_err(|error| error.to_string()), Err(message.to_owned()), "{url}");
    }
    for url in ["http://[::1]/", "http://[::1%a]:5/", "http://[v1F.:]/", "http://[::1.2.3.4]x/", "http://\u{e9}\u{bd}/"]
    {
        assert!(urlsplit(url).is_ok(), "{url}");
    }
}

#[test]
fn host_and_port_are_found() {
    let bad = |text: &str| Err(format!("Port could not be cast to integer value as {text}"));
    for (url, host, port) in [
        ("http://H.Test:80/", Some("h.test"), Ok(Some(80))),
        ("http://h/", Some("h"), Ok(None)),
        ("http://h:/", Some("h"), Ok(None)),
        ("http://:5/", None, Ok(Some(5))),
        ("/a", None, Ok(None)),
        ("http://a:b@H:5/", Some("h"), Ok(Some(5))),
        ("http://[::A%Zone]:5/", Some("::a%Zone"), Ok(Some(5))),
        ("http://[::1]5/", Some("::1"), Ok(None)),
        ("http://h:1:2/", Some("h"), bad("'1:2'")),
        ("http://h:x/", Some("h"), bad("'x'")),
        ("http://h:\u{b2}/", Some("h"), bad("'\u{b2}'")),
        ("http://h:-1/", Some("h"), bad("'-1'")),
        ("http://h:0080/", Some("h"), Ok(Some(80))),
        ("http://h:00/", Some("h"), Ok(Some(0))),
        ("http://h:65536/", Some("h"), Err("Port out of range 0-65535".into())),
        ("http://h:99999999999999999999999999/", Some("h"), Err("Port out of range 0-65535".into())),
        ("http://\u{c9}/", Some("\u{e9}"), Ok(None)),
    ] {
        let split = urlsplit(url).unwrap();
        assert_eq!(split.hostname().as_deref(), host, "{url}");
        assert_eq!(split.port().map_err(|error| error.to_string()), port, "{url}");
    }
}

#[test]
fn escapes_are_decoded_per_run() {
    for (text, utf8, latin) in [
        ("a%20b", "a b", "a b"),
        ("%C3%A9", "\u{e9}", "\u{c3}\u{a9}"),
        ("%c3x%a9", "\u{fffd}x\u{fffd}", "\u{c3}x\u{a9}"),
        ("%C3\u{e9}%A9", "\u{fffd}\u{e9}\u{fffd}", "\u{c3}\u{e9}\u{a9}"),
        ("%F0%9F%98%80", "\u{1f600}", "\u{f0}\u{9f}\u{98}\u{80}"),
        ("%ED%A0%80", "\u{fffd}\u{fffd}\u{fffd}", "\u{ed}\u{a0}\u{80}"),
        ("%E2%82", "\u{fffd}", "\u{e2}\u{82}"),
        ("%zz%4%", "%zz%4%", "%zz%4%"),
        ("%%41", "%A", "%A"),
        ("%2541", "%41", "%41"),
        ("a+b", "a+b", "a+b"),
        ("%00", "\0", "\0"),
        ("\u{e9}", "\u{e9}", "\u{e9}"),
    ] {
        assert_eq!(unquote(text), utf8, "{text}");
        assert_eq!(unquote_latin1(text), latin, "{text}");
    }
}

#[test]
fn quoting_keeps_letters_digits_and_a_few_signs() {
    assert_eq!(quote("Az09_.-~/"), "Az09_.-~/");
    assert_eq!(quote(" \"%+&:\u{e9}\0"), "%20%22%25%2B%26%3A%C3%A9%00");
    assert_eq!(quote_bytes(b"a\xff"), "a%FF");
}

proptest! {
    #[test]
    fn nothing_panics(url in "([a-z:/?#\\[\\]@%0-9. \u{e9}]|\\PC){0,30}") {
        if let Ok(split) = urlsplit(&url) {
            let _ = (split.hostname(), split.port());
        }
        unquote(&url);
        unquote_latin1(&url);
    }

    #[test]
    fn quoting_is_undone_by_unquoting(text in "\\PC{0,20}") {
        let quoted = quote(&text);
        prop_assert_eq!(unquote(&quoted), text);
    }
}
