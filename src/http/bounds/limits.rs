//! The bounds as numbers.

use std::time::Duration;

use super::ledger::{BUFFERED, TEMPORARY};

/// What one client may take, and all of them together. `None` is no bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The bytes of a request line and its header fields (HTTP/1).
    pub head_bytes: Option<u64>,
    /// How long a head may take from its first byte to its last (HTTP/1), and the greeting of HTTP/2.
    pub head_time: Option<Duration>,
    /// How long a TLS handshake may take, from the connection on.
    pub tls_time: Option<Duration>,
    /// How long a connection may stay open while no request is under way.
    pub idle_time: Option<Duration>,
    /// The bytes of a request body.
    pub body_bytes: Option<u64>,
    /// The bytes a second that a client has to send on average while a body is waited for, once
    /// [`body_grace`](Self::body_grace) is over.
    pub body_rate: Option<u64>,
    /// How long a body may be waited for at any rate.
    pub body_grace: Option<Duration>,
    /// The connections that are open at the same time, on all ports.
    pub connections: Option<u64>,
    /// The bytes of a WebSocket message, all fragments together, before and after it is decompressed.
    pub websocket_message_bytes: Option<u64>,
    /// The bytes of answers that wait on one HTTP/2 connection, when they are more than one.
    pub h2_buffered_bytes: Option<u64>,
    /// The frames of the open requests of one HTTP/2 connection.
    pub h2_frames: Option<u64>,
    /// The bytes in temporary files of all requests.
    pub temporary_bytes: Option<u64>,
    /// The bytes in memory for all clients, beyond what each may have without being counted.
    pub buffered_bytes: Option<u64>,
}

/// One bound: its key in the configuration leads to it.
#[derive(Debug)]
pub enum Limit<'a> {
    /// A number of bytes or things.
    Count(&'a mut Option<u64>),
    /// A time; in seconds in the configuration.
    Time(&'a mut Option<Duration>),
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

impl Default for Bounds {
    fn default() -> Self {
        let seconds = |count| Some(Duration::from_secs(count));
        Self {
            head_bytes: Some(MIB),
            head_time: seconds(60),
            tls_time: seconds(60),
            idle_time: seconds(600),
            body_bytes: Some(GIB),
            body_rate: Some(100),
            body_grace: seconds(120),
            connections: Some(10_000),
            websocket_message_bytes: Some(64 * MIB),
            h2_buffered_bytes: Some(256 * MIB),
            h2_frames: Some(250_000),
            temporary_bytes: Some(4 * GIB),
            buffered_bytes: Some(GIB),
        }
    }
}

impl Bounds {
    /// All bounds with their keys, in the order of the documentation.
    pub fn keys(&mut self) -> [(&'static str, Limit<'_>); 13] {
        [
            ("head_bytes", Limit::Count(&mut self.head_bytes)),
            ("head_seconds", Limit::Time(&mut self.head_time)),
            ("tls_seconds", Limit::Time(&mut self.tls_time)),
            ("idle_seconds", Limit::Time(&mut self.idle_time)),
            ("body_bytes", Limit::Count(&mut self.body_bytes)),
            ("body_rate", Limit::Count(&mut self.body_rate)),
            ("body_grace_seconds", Limit::Time(&mut self.body_grace)),
            ("connections", Limit::Count(&mut self.connections)),
            ("websocket_message_bytes", Limit::Count(&mut self.websocket_message_bytes)),
            ("h2_buffered_bytes", Limit::Count(&mut self.h2_buffered_bytes)),
            ("h2_frames", Limit::Count(&mut self.h2_frames)),
            ("temporary_bytes", Limit::Count(&mut self.temporary_bytes)),
            ("buffered_bytes", Limit::Count(&mut self.buffered_bytes)),
        ]
    }

    /// Sets the limits of the counters that belong to the process.
    pub fn apply(&self) {
        BUFFERED.set_limit(self.buffered_bytes);
        TEMPORARY.set_limit(self.temporary_bytes);
    }

    /// How often connections have to be looked at, so that a time is kept to a quarter of its length; never more than twenty
    /// times a second. `None` when no time is bounded.
    pub fn look_interval(&self) -> Option<Duration> {
        let rate = self.body_rate.and(self.body_grace.or(Some(Duration::from_secs(1))));
        let shortest = [self.head_time, self.idle_time, rate].into_iter().flatten().min()?;
        Some((shortest / 4).clamp(Duration::from_millis(50), Duration::from_secs(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_looked_at_as_often_as_the_shortest_time_needs() {
        let mut bounds = Bounds::default();
        assert_eq!(bounds.look_interval(), Some(Duration::from_secs(1)));
        bounds.head_time = Some(Duration::from_secs(1));
        assert_eq!(bounds.look_interval(), Some(Duration::from_millis(250)));
        bounds.idle_time = Some(Duration::from_millis(1));
        assert_eq!(bounds.look_interval(), Some(Duration::from_millis(50)));
        let none = Bounds { head_time: None, idle_time: None, body_rate: None, ..bounds };
        assert_eq!(none.look_interval(), None);
    }
}
