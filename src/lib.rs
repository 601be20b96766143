//! x
mod python;
