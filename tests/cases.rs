//! The recorded answers of the reference, a test each: `cargo test --test cases` runs all of them, `cargo test NAME` the tests
//! whose names contain NAME.
//!
//! The names are `AREA/NAME` for a folder of fixtures/cases, `h2/NAME` for an entry of fixtures/h2/cases.json, and
//! `websocket/NAME` for a session of fixtures/websocket/sessions.txt. With RECORD_OURS=1 in the environment no answer is
//! judged: our own answers are written down anew, for the folders that name a `difference`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says that it failed by panicking"
)]

use std::{
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use libtest_mimic::{Arguments, Failed, Trial};

#[path = "h2/client.rs"]
#[allow(dead_code, reason = "the integration tests use the rest")]
mod client;
#[path = "cases/h2.rs"]
mod h2; // fixtures/h2
#[path = "cases/harness.rs"]
mod harness; // can a case fail at all
#[path = "cases/http.rs"]
mod http; // fixtures/cases
#[path = "cases/reduced.rs"]
mod reduced; // answers without the values that differ from run to run
#[allow(dead_code, reason = "the integration tests use the rest")]
mod util; // the server process
#[path = "cases/websocket.rs"]
mod websocket; // fixtures/websocket

/// The number of cases that run at a time. They mostly wait for the server's silence.
const JOBS: usize = 16;

/// The servers that cases have started. Each stays until the last case is done.
static SERVERS: Mutex<Vec<Arc<util::Server>>> = Mutex::new(Vec::new());
static BROKEN: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(JOBS);
    let trials = if std::env::var_os("RECORD_OURS").is_some() {
        http::recordings()
    } else {
        [harness::trials(), http::trials(), h2::trials(), websocket::trials()].into_iter().flatten().collect()
    };
    let conclusion = libtest_mimic::run(&arguments, trials);
    // If the server has died, this panics and fails the whole run.
    SERVERS.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clear();
    conclusion.exit_code()
}

/// A folder of fixtures/.
fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder)
}

/// Starts a server that lasts until the end. When one does not start, the cases behind it fail at once.
fn start(launch: util::Launch) -> Arc<util::Server> {
    assert!(!BROKEN.load(Ordering::Relaxed), "a server did not start: see the first failure");
    let started = panic::catch_unwind(AssertUnwindSafe(|| launch.start()));
    let server = started.unwrap_or_else(|cause| {
        BROKEN.store(true, Ordering::Relaxed);
        panic::resume_unwind(cause)
    });
    SERVERS.lock().unwrap().push(Arc::clone(&server));
    server
}

fn trial(name: impl Into<String>, run: impl FnOnce() -> Result<(), String> + Send + 'static) -> Trial {
    Trial::test(name, move || run().map_err(Failed::from))
}
