//! Looks at all connections of a worker once in a while, and ends those whose time is up.
//!
//! A timer for each request would cost every request. Here a connection costs one entry in a list when it is accepted, and a
//! glance at each tick: what it does, and since when. So a time is kept to a tick, which is never more than a second.
//! While the worker, or the machine, does not get to it, no client's time passes.

use std::{
    cell::RefCell,
    rc::Weak,
    time::{Duration, Instant},
};

/// What is looked at.
pub(super) trait Watched {
    /// Looks whether something has taken too long. So much time has passed since the last look.
    fn look(&self, passed: Duration);
}

#[derive(Default)]
struct List {
    connections: Vec<Weak<dyn Watched>>,
    /// The list is cleared of what has ended when it has grown to this length.
    clear_at: usize,
    is_ticking: bool,
}

impl List {
    fn clear(&mut self) {
        self.connections.retain(|connection| connection.strong_count() > 0);
        self.clear_at = (self.connections.len() * 2).max(64);
    }
}

thread_local! {
    static LIST: RefCell<List> = RefCell::default();
}

/// Looks at a connection at every tick, until it has ended. Never, without an interval.
pub(super) fn watch(connection: Weak<dyn Watched>, interval: Option<Duration>) {
    let Some(interval) = interval else { return };
    let is_ticking = LIST.with_borrow_mut(|list| {
        if list.connections.len() >= list.clear_at {
            list.clear();
        }
        list.connections.push(connection);
        std::mem::replace(&mut list.is_ticking, true)
    });
    if !is_ticking {
        actix_web::rt::spawn(tick(interval));
    }
}

/// Runs while there are connections.
async fn tick(interval: Duration) {
    let mut before = Instant::now();
    loop {
        tokio::time::sleep(interval).await;
        let passed = before.elapsed().min(interval * 2);
        before = Instant::now();
        // Outside the borrow: a connection that ends may drop others.
        let connections = LIST.with_borrow_mut(|list| {
            list.clear();
            list.is_ticking = !list.connections.is_empty();
            list.connections.clone()
        });
        if connections.is_empty() {
            return;
        }
        for connection in connections.iter().filter_map(Weak::upgrade) {
            connection.look(passed);
        }
    }
}

/// How long a connection has been doing the same thing.
#[derive(Debug)]
pub(super) struct Since<T> {
    what: Option<T>,
    time: Duration,
}

impl<T> Default for Since<T> {
    fn default() -> Self {
        Self { what: None, time: Duration::ZERO }
    }
}

impl<T: PartialEq> Since<T> {
    /// How long it has been seen doing this.
    pub(super) fn seen(&mut self, what: T, passed: Duration) -> Duration {
        if self.what.as_ref() == Some(&what) {
            self.time += passed;
        } else {
            (self.what, self.time) = (Some(what), Duration::ZERO);
        }
        self.time
    }
}

/// How long a body has been waited for, and how much of it has come.
#[derive(Debug, Default)]
pub(super) struct Pace {
    waited: Duration,
}

impl Pace {
    /// The body is waited for, and has been for so long. Whether it comes too slowly: it is given `grace` whatever its rate is.
    pub(super) fn is_too_slow(
        &mut self,
        passed: Duration,
        received: u64,
        rate: Option<u64>,
        grace: Option<Duration>,
    ) -> bool {
        self.waited += passed;
        let Some(rate) = rate else { return false };
        let due = self.waited.as_secs_f64() * rate as f64;
        self.waited > grace.unwrap_or_default() && (received as f64) < due
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc};

    use super::*;

    #[derive(Default)]
    struct Looks(Cell<u32>);

    impl Watched for Looks {
        fn look(&self, _passed: Duration) {
            self.0.set(self.0.get() + 1);
        }
    }

    #[test]
    fn connections_are_looked_at_until_they_end() {
        let interval = Duration::from_millis(1);
        actix_web::rt::System::new().block_on(async {
            // The second one comes when nothing ticks any more.
            for _ in 0..2 {
                let connection = Rc::new(Looks::default());
                let weak: Weak<dyn Watched> = Rc::downgrade(&connection) as _;
                watch(weak, Some(interval));
                while connection.0.get() < 3 {
                    tokio::time::sleep(interval).await;
                }
                drop(connection);
                while LIST.with_borrow(|list| list.is_ticking) {
                    tokio::time::sleep(interval).await;
                }
            }
        });
    }

    #[test]
    fn the_list_does_not_grow_with_connections_that_have_ended() {
        LIST.with_borrow_mut(|list| list.is_ticking = true);
        for _ in 0..10_000 {
            let connection = Rc::new(Looks::default());
            let weak: Weak<dyn Watched> = Rc::downgrade(&connection) as _;
            watch(weak, Some(Duration::from_secs(1)));
        }
        assert!(LIST.with_borrow(|list| list.connections.len()) <= 64);
    }

    #[test]
    fn what_has_changed_begins_anew() {
        let mut since = Since::default();
        let seen = ['a', 'a', 'a', 'b', 'b', 'a'].map(|what| since.seen(what, Duration::from_secs(2)).as_secs());
        assert_eq!(seen, [0, 2, 4, 0, 2, 0]);
    }

    #[test]
    fn a_body_has_its_grace_and_then_its_rate() {
        let second = Duration::from_secs(1);
        let slow_at = |rate, grace: u64, received: u64| {
            let mut pace = Pace::default();
            (1..100).find(|_| pace.is_too_slow(second, received, rate, Some(Duration::from_secs(grace))))
        };
        assert_eq!(slow_at(Some(10), 5, 0), Some(6));
        assert_eq!(slow_at(Some(10), 5, 200), Some(21));
        assert_eq!(slow_at(Some(10), 0, 0), Some(1));
        assert_eq!(slow_at(None, 5, 0), None);
    }
}
