//! What the rooms use of the room `cancel`: here no run is ever cancelled, so each wait has to end without that.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use shuttle::future::block_on;

use crate::channels::oneshot;

/// See the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request is cancelled")]
pub struct Cancelled;

/// See the room.
#[derive(Clone, Copy, Debug)]
pub enum Reason {
    TimedOut(Duration),
    ClientGone(Duration),
}

/// See the room.
#[derive(Debug)]
pub struct Run(PathBuf);

/// See the room.
#[derive(Debug)]
pub struct Entered;

/// See the room.
pub trait Alarm: Send + Sync {
    fn client_gone(&self, run: Arc<Run>);
}

impl Run {
    pub fn new(script: PathBuf, _has_time_limit: bool, _alarm: Option<Arc<dyn Alarm>>) -> Arc<Self> {
        Arc::new(Self(script))
    }

    pub fn script(&self) -> &Path {
        &self.0
    }

    pub fn has_time_limit(&self) -> bool {
        false
    }

    pub fn enter(self: &Arc<Self>) -> Entered {
        Entered
    }

    pub fn next_visit(&self) -> u32 {
        0
    }

    pub fn has_left(&self, _visit: u32) -> bool {
        true
    }

    pub fn is_running(&self) -> bool {
        false
    }

    pub fn is_over(&self) -> bool {
        true
    }

    pub fn end(&self) {}

    pub fn client_gone(self: &Arc<Self>) {}

    pub fn cancel(&self, _reason: Reason) {}

    pub fn is_due(&self) -> bool {
        false
    }
}

pub fn receive<T>(receiver: oneshot::Receiver<T>) -> Result<Option<T>, Cancelled> {
    Ok(block_on(receiver).ok())
}
