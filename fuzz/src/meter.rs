//! How much work and memory an input costs, counted and not timed: the same input costs the same on every machine.

#![allow(unsafe_code, reason = "an allocator, and a function that instrumented code calls by its name")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::{
        LazyLock,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

/// What an input of `n` bytes may cost: `fixed + n * per_byte` of each.
#[derive(Debug)]
pub struct Bounds {
    /// Basic blocks of our own code: whatever the input is.
    pub work: u64,
    /// Basic blocks for each byte. An algorithm that is quadratic in the input needs thousands of them for the longest inputs.
    pub work_per_byte: u64,
    /// Bytes that are allocated at the same time, whatever the input is.
    pub memory: usize,
    /// Bytes for each byte.
    pub memory_per_byte: usize,
}

/// `FUZZ_COST=1` has the cost of each input printed.
static SHOWN: LazyLock<bool> = LazyLock::new(|| std::env::var_os("FUZZ_COST").is_some());
static WORK: AtomicU64 = AtomicU64::new(0);
static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// Runs `target` on an input of `length` bytes and panics when it costs more than the bounds allow.
pub fn within(bounds: &Bounds, length: usize, target: impl FnOnce()) {
    let before = HELD.load(Relaxed);
    PEAK.store(before, Relaxed);
    WORK.store(0, Relaxed);
    target();
    let (work, peak) = (WORK.load(Relaxed), PEAK.load(Relaxed).saturating_sub(before));
    if *SHOWN {
        eprintln!("cost of {length} bytes: {work} basic blocks, {peak} bytes at the same time");
    }
    let most = bounds.work + bounds.work_per_byte * length as u64;
    assert!(work <= most, "{length} bytes cost {work} basic blocks, more than {most}");
    let most = bounds.memory + bounds.memory_per_byte * length;
    assert!(peak <= most, "{length} bytes cost {peak} bytes of memory at the same time, more than {most}");
}

/// Called by instrumented code at every basic block. LLVM leaves functions of this prefix without instrumentation. The counter
/// needs no more than a load and a store: targets run on one thread.
#[unsafe(no_mangle)]
pub extern "C" fn __sanitizer_cov_trace_pc() {
    // SAFETY: the pointer is that of a static, which only this thread writes while a target runs.
    unsafe {
        let work = WORK.as_ptr();
        *work += 1;
    }
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn took(size: usize) {
    let held = HELD.fetch_add(size, Relaxed) + size;
    if held > PEAK.load(Relaxed) {
        PEAK.store(held, Relaxed);
    }
}

// SAFETY: every call goes to the system's allocator with the same arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        HELD.fetch_sub(layout.size(), Relaxed);
        took(size);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
