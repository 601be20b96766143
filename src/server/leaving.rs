//! What connections do while another process takes over: those that wait for a request are closed, the others when their answer is
//! over.

use std::{
    pin::Pin,
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    task::Context,
};

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

static HAS_BEGUN: AtomicBool = AtomicBool::new(false);
static BEGINNING: LazyLock<CancellationToken> = LazyLock::new(CancellationToken::new);

/// From now on; for all connections of this process.
pub(super) fn begin() {
    HAS_BEGUN.store(true, Ordering::Release);
    BEGINNING.cancel();
}

/// Whether it has begun.
pub(super) fn has_begun() -> bool {
    HAS_BEGUN.load(Ordering::Acquire)
}

/// A connection's way to notice it.
#[derive(Default)]
pub(super) struct Leaving(Option<Pin<Box<WaitForCancellationFutureOwned>>>);

impl Leaving {
    /// Whether it has begun. If not, the task that asks first is woken when it does: always ask from the same one.
    pub(super) fn has_begun(&mut self, context: &mut Context<'_>) -> bool {
        if self.0.is_none() {
            let waiting = self.0.insert(Box::pin(BEGINNING.clone().cancelled_owned()));
            return waiting.as_mut().poll(context).is_ready();
        }
        has_begun()
    }
}
