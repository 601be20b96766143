//! The `wptserve` binary: parse, run, exit code.

use std::process::ExitCode;

/// Handlers make many small allocations on one thread, and another thread frees them. The system's allocator would spend a sixth
/// of a request on that.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The options that the allocator reads when it starts. The caches of threads are small, because there may be a thousand threads.
/// Freed memory goes back to the system after a second.
#[expect(unsafe_code, reason = "the allocator looks for this very name")]
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static ALLOCATOR_OPTIONS: &[u8; 63] = b"tcache_max:1024,tcache_nslots_small_max:20,dirty_decay_ms:1000\0";

fn main() -> ExitCode {
    wptserve::cli::main(std::env::args_os())
}
