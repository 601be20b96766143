//! The targets, by what they read.

mod answers;
mod bodies;
mod config;
mod files;
mod h2;
mod heads;
mod hpack;
mod pages;
mod paths;
mod pipes;
mod texts;
mod websocket;

use crate::meter::Bounds;

/// A target: what it is called, what an input may cost, and the function that takes one and panics when something is wrong.
#[derive(Debug)]
pub struct Target {
    pub name: &'static str,
    pub bounds: Bounds,
    pub run: fn(&[u8]),
}

/// Bounds of `work` and `memory` for each byte, and something for the constant part.
const fn target(name: &'static str, work_per_byte: u64, memory_per_byte: usize, run: fn(&[u8])) -> Target {
    Target { name, bounds: Bounds { work: 100_000, work_per_byte, memory: 64 * 1024, memory_per_byte }, run }
}

/// All targets. `make fuzz` runs them in this order.
pub const ALL: &[Target] = &[
    target("head", 1_000, 100, heads::head),
    target("chunks", 1_000, 500, bodies::chunks),
    target("form", 3_000, 300, bodies::form),
    h2::TARGET,
    hpack::TARGET,
    target("websocket", 1_000, 100, websocket::frames),
    target("cookies", 1_000, 300, texts::cookies),
    target("query", 1_000, 300, texts::query),
    target("url", 1_000, 100, texts::url),
    pipes::PIPES,
    pipes::TEMPLATE,
    target("ranges", 1_000, 300, files::ranges),
    target("header-files", 1_000, 100, files::header_files),
    target("frontmatter", 1_000, 3_000, files::frontmatter),
    target("metadata", 1_000, 300, files::metadata),
    target("inject", 1_000, 100, pages::inject),
    target("docroot", 1_000, 100, paths::docroot),
    paths::ROUTES,
    target("config", 5_000, 1_000, config::merge),
    target("encoder", 1_000, 100, answers::encoder),
];
