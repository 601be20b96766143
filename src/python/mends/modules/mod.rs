//! The mends of modules of the standard library.

pub(super) mod array_items;
pub(super) mod base64_end;
pub(super) mod bytesio_seek;
pub(super) mod frozen_files;
pub(super) mod hangul;
pub(super) mod library;
pub(super) mod ordered_dict;
pub(super) mod re_bounds;
pub(super) mod re_sub;
pub(super) mod struct_errors;
pub(super) mod time_zone;
