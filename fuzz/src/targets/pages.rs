//! Pages that a script is put into.

use bytes::Bytes;

use crate::{input::Dice, pipes::inject};

/// `--inject-script`.
///
/// * The page is all there: taking the script out again gives the page.
/// * The script stands in the first 10240 bytes and a mark, or not at all.
pub fn inject(data: &[u8]) {
    const SCRIPT: &[u8] = b"\x01script\x01";
    let page = Bytes::copy_from_slice(data);
    let injected = inject::into_page(page.clone(), SCRIPT);
    if injected == page {
        return;
    }
    let longer = injected.len() - page.len();
    let place = memchr::memmem::find(&injected, b"<script>\n\x01script\x01").unwrap();
    assert!(place <= 10240 + 4, "the script is at {place}");
    assert_eq!([&injected[..place], &injected[place + longer..]].concat(), page);
}
