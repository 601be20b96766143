//! Unit tests of the cookie functions. The expectations hold for CPython 3.11 and wptserve 4.0.3.

use proptest::prelude::*;

use super::*;

/// `key=value` as sent, followed by the attributes, as `str()` shows wptserve's cookie values.
fn loaded(text: &str) -> Result<Vec<String>, String> {
    load(text).map(|morsels| morsels.iter().map(Morsel::output_string).collect()).map_err(|error| error.to_string())
}

#[test]
fn cookies_are_read_until_something_is_no_cookie() {
    let table: &[(&str, &[&str])] = &[
        ("", &[]),
        ("a=1", &["a=1"]),
        ("a=1; b=2;c=3 d=4", &["a=1", "b=2", "c=3", "d=4"]),
        (" a = 1 ; b=", &["a=1", "b="]),
        ("a=1; a=2; b=3", &["a=2", "b=3"]),
        ("a=b=c", &["a=b=c"]),
        ("a=\"x; y\"; b=1", &["a=\"x; y\"", "b=1"]),
        ("a=\"\\\"\"; b=1", &["a=\"\\\"\"", "b=1"]),
        ("a=\"open; b=1", &[]),
        ("b=1; a=\"open", &["b=1"]),
        ("a= \"open", &["a="]),
        ("a=[x]", &["a=[x]"]),
        ("b=1; [a]=x; c=2", &["b=1"]),
        ("a=1, b=2", &["a=1,", "b=2"]),
        ("a=1; \u{e9}=2; c=3", &["a=1"]),
        ("a=\"\u{e9}\"", &["a=\"\u{e9}\""]),
        ("a=1;; b=2", &["a=1"]),
        ("a=Wed, 01 Jan 2020 00:00:00 GMT; b=1", &["a=Wed, 01 Jan 2020 00:00:00 GMT", "b=1"]),
        ("a=Wed, 01 Jan 2020; b=1", &[]),
        ("a=1; b", &[]),
        ("a", &[]),
    ];
    for (text, expected) in table {
        assert_eq!(loaded(text), Ok(expected.iter().map(ToString::to_string).collect()), "{text:?}");
    }
}

#[test]
fn attributes_belong_to_the_cookie_before_them() {
    let table: &[(&str, &[&str])] = &[
        ("a=1; Path=/x; b=2", &["a=1; Path=/x", "b=2"]),
        ("a=1; path=\"/\\057\\\"\"", &["a=1; Path=//\""]),
        ("Path=/x; a=1", &[]),
        ("$Version=1; a=1; $Path=\"/x\"", &["a=1; Path=\"/x\""]),
        ("a=1; $Path", &["a=1; Path=None"]),
        ("a=1; secure; HttpOnly", &["a=1; HttpOnly; Secure"]),
        ("a=1; secure=", &["a=1"]),
        ("a=1; secure=no", &["a=1; Secure"]),
        ("a=1; path", &[]),
        ("a=1; comment=\"b c;\"", &["a=1; Comment=\"b c\\073\""]),
        ("a=1; comment=b(c", &["a=1; Comment=\"b(c\""]),
        (
            "a=1; version=1; samesite=x; max-age=5; expires=y; domain=z",
            &["a=1; Domain=z; expires=y; Max-Age=5; SameSite=x; Version=1"],
        ),
        ("a=1; Path=/x; a=2", &["a=2; Path=/x"]),
        ("a=1; b=2; a=3; Path=/x", &["a=3; Path=/x", "b=2"]),
    ];
    for (text, expected) in table {
        assert_eq!(loaded(text), Ok(expected.iter().map(ToString::to_string).collect()), "{text:?}");
    }
}

#[test]
fn some_cookies_are_errors() {
    for (text, message) in [
        ("a=1; x@y=2", "Illegal key 'x@y'"),
        ("=a=1", "Illegal key '=a'"),
        ("a,b=1", "Illegal key 'a,b'"),
        ("a=1; $Foo=2", "Invalid attribute 'foo'"),
    ] {
        assert_eq!(loaded(text), Err(message.to_owned()), "{text:?}");
    }
}

#[test]
fn values_are_bytes_as_sent() {
    let morsels = load("a=\"\u{e9}\\101\"").unwrap();
    assert_eq!(morsels[0].value, b"\"\xe9\\101\"");
    assert_eq!(morsels[0].coded_value, "\"\u{e9}\\101\"");
    assert_eq!((morsels[0].key.as_str(), morsels[0].get("path")), ("a", None));
}

#[test]
fn a_morsel_can_be_built() {
    let mut morsel = Morsel::new("a", b"1", "1").unwrap();
    for (name, value) in [
        ("Path", Attribute::Text("/".into())),
        ("max-age", Attribute::Int(-5)),
        ("expires", Attribute::Int(0)),
        ("secure", Attribute::Flag(true)),
        ("httponly", Attribute::Flag(false)),
        ("SAMESITE", Attribute::Text(String::new())),
    ] {
        morsel.set(name, value).unwrap();
    }
    let text = morsel.output_string();
    assert!(text.starts_with("a=1; expires=") && text.ends_with(" GMT; Max-Age=-5; Path=/; Secure"), "{text}");
    assert_eq!(morsel.get("PATH"), Some(&Attribute::Text("/".into())));

    let message = |error: CookieError| error.to_string();
    assert_eq!(morsel.set("Foo", Attribute::None).map_err(message), Err("Invalid attribute 'foo'".into()));
    assert_eq!(Morsel::new("Path", b"", "").map_err(message), Err("Attempt to set a reserved key 'Path'".into()));
    assert_eq!(Morsel::new("", b"", "").map_err(message), Err("Illegal key ''".into()));
    assert_eq!(Morsel::new("a b", b"", "").map_err(message), Err("Illegal key 'a b'".into()));
}

#[test]
fn dates_out_of_reach_are_the_nearest() {
    assert_eq!(date_in(i64::MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
    assert_eq!(date_in(i64::MIN), "Thu, 01 Jan 1970 00:00:00 GMT");
}

#[test]
fn long_headers_are_read_in_linear_time() {
    let text = format!("a{}\"", "=".repeat(1_000_000));
    assert_eq!(load(&text), Ok(Vec::new()));
}

proptest! {
    #[test]
    fn never_panics(text in "([a=;, \"\\\\$\\[\u{e9}\t\n0]|Path|secure|\\PC){0,24}") {
        if let Ok(morsels) = load(&text) {
            for morsel in morsels {
                morsel.output_string();
            }
        }
    }
}
