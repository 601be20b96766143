//! The `wptserve` binary: parse, run, exit code.

use std::process::ExitCode;

/// Handlers allocate much and small, on one thread, and free it on another: the system's allocator spends a sixth of a request
/// on that.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What the allocator reads when it starts. Small caches of the threads, because there may be a thousand of these; freed
/// memory goes back to the system after a second.
#[expect(unsafe_code, reason = "the allocator looks for this very name")]
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static ALLOCATOR_OPTIONS: &[u8; 63] = b"tcache_max:1024,tcache_nslots_small_max:20,dirty_decay_ms:1000\0";

fn main() -> ExitCode {
    wptserve::cli::main(std::env::args_os())
}
