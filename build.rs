//! Makes the standard library that the binary contains: RustPython's frozen one without the modules that no handler can use.
//!
//! The crate `rustpython-pylib` has the whole library in one constant. So only this script depends on that crate, and the server
//! includes the file that is written here.

#![allow(clippy::print_stdout, reason = "a build script tells cargo what to watch on its standard output")]

use std::{collections::BTreeMap, env, error::Error, fs, path::Path};

use rustpython_compiler_core::frozen::FrozenLib;

#[allow(dead_code, reason = "what is said about an absent module is for the server")]
#[path = "src/python/absent.rs"]
mod absent;

fn main() -> Result<(), Box<dyn Error>> {
    // The macro that freezes our stubs does not watch the files itself.
    println!("cargo::rerun-if-changed=pylib-stubs");
    println!("cargo::rerun-if-changed=src/python/absent.rs");
    // In order: the macro of RustPython gives another one in each build.
    let whole = rustpython_pylib::FROZEN_STDLIB.decode();
    let kept: BTreeMap<_, _> = whole.filter(|(name, _)| !absent::is_absent(name)).collect();
    let library = FrozenLib::encode(kept.iter().map(|(name, module)| (*name, *module)));
    let folder = env::var("OUT_DIR")?;
    Ok(fs::write(Path::new(&folder).join("stdlib.frozen"), library.bytes)?)
}
