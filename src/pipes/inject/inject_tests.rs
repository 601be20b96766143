//! Places found by WPT's own `inject_script` with html5lib 1.1.

use proptest::prelude::*;

use super::*;

fn place(page: &[u8]) -> Option<usize> {
    scan::first_content(&encoding::first_chunk(page)).map(|place| place.min(page.len()))
}

/// A `^` marks the place of the script.
#[test]
fn the_script_goes_in_front_of_the_first_content() {
    for marked in [
        "^<p>",
        "<!DOCTYPE html>\n<html>\n  <head>\n    ^<script src=x></script>",
        "<!doctype html>\n^<div></div>",
        "<!-- a --><!----><!---a-->\n^</p>",
        "<HTML lang=en><Head/>^<title>x</title>",
        "<!doctype html PUBLIC \"a\" 'b' >^<p>",
        "<!DOCTYPE html public 'a'>^<p>",
        "<!doctype  html  system  \"x\"  >^<p>",
        "<html a=\"&amp; &\" b='&' c=& d=/x/ e>^<p>",
        "<html\na\n=\nb\n>^<p>",
        "<html a = \"b\" c='d'/>^<p>",
        "<html>^text<p>",
        "<html>^& <p>",
        "<html>^&amp; <p>",
        "<html>&Tab;&NewLine;&#32;&#x9;^&#65;<p>",
        "^<html-x>",
        "^</html>",
        "<head>^<body a=b>",
        "<html>^x\0",
        "<!doctype html>^x&nope;",
    ] {
        let page = marked.replace('^', "");
        assert_eq!(place(page.as_bytes()), Some(marked.find('^').unwrap()), "{marked:?}");
    }
}

#[test]
fn pages_that_are_not_clean_stay_as_they_are() {
    let long = format!("<html>{}<p>", " ".repeat(10240));
    for page in [
        "",
        "text",
        "<html>",
        "<!doctype html>\n",
        "<!--<div></div>",
        "<!--><p>",
        "<!---><p>",
        "<!-- a -- b --><p>",
        "<!-- a ---><p>",
        "<!--a--!><p>",
        "<!-- \0 --><p>",
        "<!doctypehtml><p>",
        "<!doctype><p>",
        "<!doctype ><p>",
        "<!doctype html foo><p>",
        "<!doctype html public \"a\"\"b\"><p>",
        "<!doctype html public\"a\"><p>",
        "<!doctype html public><p>",
        "<!doctype html system \"a>\"><p>",
        "<!doctype html system \"a\" x><p>",
        "<html a a><p>",
        "<html a A=b><p>",
        "<html a=\"b\"c><p>",
        "<html a/b><p>",
        "<html / ><p>",
        "<html =a><p>",
        "<html a=><p>",
        "<html a=`x><p>",
        "<html a=x=y><p>",
        "<html a<b><p>",
        "<html a=\"?x&y=z\"><p>",
        "<html a=\"&ampx\"><p>",
        "<html>&nope;<p>",
        "<html>&amp<p>",
        "<html>&notit;<p>",
        "<html>&;<p>",
        "<html>&#;<p>",
        "<html>&#65<p>",
        "<html>&#xD800;<p>",
        "<html>&#128;<p>",
        "<html>&#13;<p>",
        "<html>&#99999999999;<p>",
        "<html>&amp;",
        "<html>\0<p>",
        "</p a>",
        "</p/>",
        "</>",
        "<>",
        "< p>",
        "<?xml?><p>",
        "<!x><p>",
        "<![CDATA[x]]><p>",
        // A control character anywhere in the first piece.
        "<p>\u{1}",
        "<meta charset=utf-8>\u{85}",
        &long,
    ] {
        assert_eq!(place(page.as_bytes()), None, "{page:?}");
        let page = Bytes::from(page.to_owned());
        assert_eq!(into_page(page.clone(), b"x"), page);
    }
}

/// The place is counted in characters of the page's encoding, with LF as line end and without the byte order mark.
#[test]
fn places_are_counted_in_characters() {
    for (page, expected) in [
        (&b"<!--\xc3\xa9--><p>"[..], Some(9)),
        (b"<!--\xc3\xa9--><meta charset=utf-8>", Some(8)),
        (b"<!--\xc3\xa9--><META http-equiv=Content-Type content='text/html; charset=\"UTF-8\"'>", Some(8)),
        (b"<!--\xc3\xa9--><meta content='charset=utf-8' http-equiv=content-type>", Some(8)),
        (b"<!--\xc3\xa9--><meta content='charset=utf-8'>", Some(9)),
        (b"<!--\xc3\xa9--><meta charset=utf-16>", Some(8)),
        (b"<!--\xc3\xa9--><meta charset=nope>", Some(9)),
        (b"<!--\xc3\xa9--><metax charset=utf-8>", Some(9)),
        (b"<!--\xc3\xa9--><!--<meta charset=utf-8>--><p>", Some(36)),
        (b"<!--\xc3\xa9--><p a='<meta charset=utf-8>'>", Some(9)),
        (b"<!--\xc3\xa9--></p><meta charset=utf-8>", Some(8)),
        (b"<!--\x82\xa0--><meta charset=shift_jis>", Some(8)),
        (b"<!--\x81--><p>", Some(8)),
        (b"<html>\r\n\r\n<p>", Some(8)),
        (b"\xef\xbb\xbf<html><p>", Some(6)),
        (b"\xff\xfe<\0p\0>\0", Some(0)),
        (b"\xfe\xff\0<\0h\0t\0m\0l\0>\0<\0p\0>", Some(6)),
        (b"\xff\xfe\0\0<p>", Some(0)),
    ] {
        assert_eq!(place(page), expected, "{}", page.escape_ascii());
    }
}

#[test]
fn the_script_takes_itself_away() {
    let page = into_page(Bytes::from("<html>\n<p>text"), b"alert('\xe9')");
    let expected = b"<html>\n<script>\nalert('\xe9')\n// Remove the injected script tag from the DOM.\n\
        document.currentScript.remove();\n</script>\n<p>text";
    assert_eq!(page, expected[..]);
}

proptest! {
    #[test]
    fn nothing_of_the_page_is_lost(parts in proptest::collection::vec(proptest::sample::select(vec![
        &b"<html"[..], b"<!--", b"-->", b">", b"<p", b" ", b"a", b"=", b"\"", b"&", b";", b"/", b"\0", b"\xe9", b"\xc3\xa9", b"\r\n",
        b"<!doctype html", b"<meta charset=", b"utf-8", b"gbk", b"\xff\xfe", b"\xef\xbb\xbf"]), 0..24)) {
        let page = Bytes::from(parts.concat());
        let with = into_page(page.clone(), b"@");
        if with != page {
            let at = page.iter().zip(&with).take_while(|(a, b)| a == b).count();
            prop_assert!(at >= place(&page).unwrap());
            prop_assert_eq!(with.len(), into_page(Bytes::from("<p>"), b"@").len() - 3 + page.len());
        }
    }
}
