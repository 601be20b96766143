//! The mends of the built-in types.

pub(super) mod bytes_format;
pub(super) mod bytes_letters;
pub(super) mod bytes_maketrans;
pub(super) mod bytes_strip;
pub(super) mod complex_format;
pub(super) mod float_power;
pub(super) mod format_surrogates;
pub(super) mod int_division;
pub(super) mod int_from_bytes;
pub(super) mod recursion_text;
