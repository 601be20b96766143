//! A request's use of the stash, from its begin to its end.

use std::{marker::PhantomData, sync::Arc};

use super::{Holder, Stash};

/// A request for as long as it lives: when this is dropped, the lock that the request still holds is released.
#[derive(Debug)]
pub struct Tenure {
    stash: Arc<dyn Stash>,
    holder: Holder,
}

impl Tenure {
    /// Begins a request.
    pub fn begin(stash: Arc<dyn Stash>) -> Self {
        Self { stash, holder: Holder::next() }
    }

    /// The calling thread works for this request until what is returned is dropped.
    pub fn enter(&self) -> Entered {
        Entered { before: self.holder.replace_current(), _not_send: PhantomData }
    }
}

impl Drop for Tenure {
    fn drop(&mut self) {
        self.stash.end(self.holder);
    }
}

/// See [`Tenure::enter`].
#[derive(Debug)]
pub struct Entered {
    before: Holder,
    /// It belongs to its thread.
    _not_send: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.before.replace_current();
    }
}
