//! Exceptions with a meaning of their own for the server: the one that ends a handler from outside, and those that say that
//! descriptors or memory have run out.

pub(super) mod interrupt;
pub(super) mod shortage;
