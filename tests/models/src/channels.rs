//! What the rooms use of `tokio::sync`, under shuttle: every call takes a lock, which is where shuttle may change the thread.

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use shuttle::future::block_on;

use crate::lock::Mutex;

/// What both ends of a channel share. A oneshot is one with one sender that is gone when it has sent.
struct Shared<T> {
    queue: VecDeque<T>,
    senders: usize,
    is_deserted: bool,
    receiver: Option<Waker>,
}

impl<T> Shared<T> {
    fn new() -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self { queue: VecDeque::new(), senders: 1, is_deserted: false, receiver: None }))
    }
}

fn send<T>(shared: &Mutex<Shared<T>>, value: T) -> Result<(), T> {
    let mut guard = shared.lock();
    if guard.is_deserted {
        drop(guard);
        return Err(value);
    }
    guard.queue.push_back(value);
    let receiver = guard.receiver.take();
    drop(guard);
    receiver.into_iter().for_each(Waker::wake);
    Ok(())
}

fn leave<T>(shared: &Mutex<Shared<T>>) {
    let mut guard = shared.lock();
    guard.senders -= 1;
    let receiver = if guard.senders == 0 { guard.receiver.take() } else { None };
    drop(guard);
    receiver.into_iter().for_each(Waker::wake);
}

fn desert<T>(shared: &Mutex<Shared<T>>) {
    let mut guard = shared.lock();
    guard.is_deserted = true;
    let unread = std::mem::take(&mut guard.queue);
    drop(guard);
    drop(unread);
}

fn poll<T>(shared: &Mutex<Shared<T>>, context: &Context<'_>) -> Poll<Option<T>> {
    let mut guard = shared.lock();
    match guard.queue.pop_front() {
        Some(value) => Poll::Ready(Some(value)),
        None if guard.senders == 0 => Poll::Ready(None),
        None => {
            guard.receiver = Some(context.waker().clone());
            Poll::Pending
        }
    }
}

/// `tokio::sync::oneshot`.
pub mod oneshot {
    use super::*;

    pub mod error {
        /// The sender is gone.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct RecvError(pub(super) ());
    }

    /// Sends once.
    pub struct Sender<T>(Arc<Mutex<Shared<T>>>);

    /// Receives once.
    pub struct Receiver<T>(Arc<Mutex<Shared<T>>>);

    pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
        let shared = Shared::new();
        (Sender(Arc::clone(&shared)), Receiver(shared))
    }

    impl<T> Sender<T> {
        pub fn send(self, value: T) -> Result<(), T> {
            send(&self.0, value)
        }
    }

    impl<T> Receiver<T> {
        pub fn blocking_recv(self) -> Result<T, error::RecvError> {
            block_on(self)
        }
    }

    impl<T> Future for Receiver<T> {
        type Output = Result<T, error::RecvError>;

        fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
            poll(&self.0, context).map(|value| value.ok_or(error::RecvError(())))
        }
    }

    impl<T> Drop for Sender<T> {
        fn drop(&mut self) {
            leave(&self.0);
        }
    }

    impl<T> Drop for Receiver<T> {
        fn drop(&mut self) {
            desert(&self.0);
        }
    }

    impl<T> std::fmt::Debug for Sender<T> {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("Sender")
        }
    }
}

/// `tokio::sync::mpsc`, without a limit.
pub mod mpsc {
    use super::*;

    pub mod error {
        /// The receiver is gone; here is what was to be sent.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct SendError<T>(pub T);
    }

    /// Sends.
    pub struct UnboundedSender<T>(Arc<Mutex<Shared<T>>>);

    /// Receives.
    pub struct UnboundedReceiver<T>(Arc<Mutex<Shared<T>>>);

    pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
        let shared = Shared::new();
        (UnboundedSender(Arc::clone(&shared)), UnboundedReceiver(shared))
    }

    impl<T> UnboundedSender<T> {
        pub fn send(&self, value: T) -> Result<(), error::SendError<T>> {
            send(&self.0, value).map_err(error::SendError)
        }
    }

    impl<T> UnboundedReceiver<T> {
        pub async fn recv(&mut self) -> Option<T> {
            poll_fn(|context| poll(&self.0, context)).await
        }

        pub fn blocking_recv(&mut self) -> Option<T> {
            block_on(self.recv())
        }
    }

    impl<T> Clone for UnboundedSender<T> {
        fn clone(&self) -> Self {
            self.0.lock().senders += 1;
            Self(Arc::clone(&self.0))
        }
    }

    impl<T> Drop for UnboundedSender<T> {
        fn drop(&mut self) {
            leave(&self.0);
        }
    }

    impl<T> Drop for UnboundedReceiver<T> {
        fn drop(&mut self) {
            desert(&self.0);
        }
    }

    impl<T> std::fmt::Debug for UnboundedSender<T> {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("UnboundedSender")
        }
    }

    impl<T> std::fmt::Debug for UnboundedReceiver<T> {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("UnboundedReceiver")
        }
    }
}
