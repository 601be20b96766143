//! Cookies, queries and URLs.

use crate::{
    http::{
        cookies,
        query::parse_qsl,
        text::latin1,
        url::{quote, quote_bytes, unquote, unquote_latin1, urlsplit},
    },
    input::Dice,
};

/// A `Cookie` header.
///
/// * No name is there twice, and none is that of an attribute.
/// * Bounded: the cookies together are no longer than the header.
/// * decode∘encode: a cookie without attributes is read as it is written.
pub fn cookies(data: &[u8]) {
    let text = latin1(data);
    let Ok(morsels) = cookies::load(&text) else { return };
    let length: usize = morsels.iter().map(|morsel| morsel.key.len() + morsel.coded_value.chars().count()).sum();
    assert!(length <= data.len());
    for (at, morsel) in morsels.iter().enumerate() {
        assert!(morsels[..at].iter().all(|other| other.key != morsel.key));
        let _ = morsel.output_string();
        let written = format!("{}={}", morsel.key, morsel.coded_value);
        let again = cookies::load(&written).unwrap();
        assert_eq!(again.len(), 1, "{written:?}");
        assert_eq!((&again[0].key, &again[0].coded_value), (&morsel.key, &morsel.coded_value));
    }
}

/// A query.
///
/// * There are at most as many pairs as there are ampersands, and one.
/// * Bounded: names and values are no longer than the query.
/// * decode∘encode: quoted pairs are read as they were.
pub fn query(data: &[u8]) {
    let pairs = parse_qsl(&latin1(data));
    assert!(pairs.len() <= data.split(|byte| *byte == b'&').count());
    assert!(pairs.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() <= data.len());
    let pair = |(name, value): &(Vec<u8>, Vec<u8>)| format!("{}={}", quote_bytes(name), quote_bytes(value));
    let written: Vec<String> = pairs.iter().map(pair).collect();
    assert_eq!(parse_qsl(&written.join("&")), pairs);
}

/// A URL, as the target of a request or from a handler.
///
/// * The parts are no longer than the URL.
/// * decode∘encode: what is quoted is unquoted to what it was.
pub fn url(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for text in [text.as_ref(), &latin1(data)] {
        if let Ok(parts) = urlsplit(text) {
            let lengths = [&parts.scheme, &parts.netloc, &parts.path, &parts.query, &parts.fragment].map(String::len);
            assert!(lengths.iter().sum::<usize>() <= text.len());
            let _ = (parts.hostname(), parts.port());
            let _ = urlsplit(&parts.unsplit());
        }
        assert_eq!(unquote(&quote(text)), text);
        let _ = unquote_latin1(text);
    }
    assert_eq!(unquote_latin1(&quote_bytes(data)), latin1(data));
}
