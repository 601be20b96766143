//! Fuzz targets on everything that reads what a client, a file or a configuration says.
//!
//! One binary, run by libFuzzer: `make fuzz` builds it with coverage counters, which stable Rust can do, and runs one target
//! after the other. `FUZZ_TARGET` names the target; CONTRIBUTING.md says how to run, extend and reproduce.
//!
//! The pure rooms of `../src` are compiled into this crate, so that only our own code is instrumented, and so that neither
//! RustPython nor actix has to be built. What a target checks stands in its documentation. All of them check as well that no
//! input makes the code panic, and that memory and work stay within a bound that grows with the input ([`meter`]).

#![no_main]
#![allow(
    dead_code,
    unused_imports,
    unfulfilled_lint_expectations,
    reason = "the rooms are here as a whole, the targets use a part of each, and nothing of them is public"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a target says what is wrong by panicking"
)]

#[path = "../../src/cancel.rs"]
mod cancel;
#[path = "../../src/config/mod.rs"]
mod config;
#[path = "../../src/content/mod.rs"]
mod content;
#[path = "../../src/docroot.rs"]
mod docroot;
#[path = "../../src/handover/mod.rs"]
mod handover;
#[path = "../../src/http/mod.rs"]
mod http;
#[path = "../../src/pipes/mod.rs"]
mod pipes;
#[path = "../../src/route/mod.rs"]
mod route;
#[path = "../../src/stash/mod.rs"]
mod stash;
#[path = "../../src/supervisor/mod.rs"]
mod supervisor;
#[path = "../../src/tls/mod.rs"]
mod tls;
#[path = "../../src/websocket/mod.rs"]
mod websocket;

mod input;
mod meter;
mod targets;

use std::sync::OnceLock;

use targets::Target;

static CHOSEN: OnceLock<&Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(
    init: {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        let target = targets::ALL.iter().find(|target| target.name == name);
        let names: Vec<&str> = targets::ALL.iter().map(|target| target.name).collect();
        let target = target.unwrap_or_else(|| panic!("FUZZ_TARGET={name:?} is no target; there are {}", names.join(" ")));
        CHOSEN.set(target).unwrap();
    },
    |data: &[u8]| {
        let target = CHOSEN.get().unwrap();
        meter::within(&target.bounds, data.len(), || (target.run)(data));
    }
);
