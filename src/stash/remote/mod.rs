//! The stash in another process: [`Remote`] asks over Unix sockets, [`Host`] answers there.
//!
//! An operation has a socket to itself while it lasts: one question, one answer. So a thread that waits for the lock or for an item
//! waits in a read, the host needs no thread for it, and a process that dies takes back all that it has asked for, because its
//! sockets close.

mod client;
mod host;
mod keeper;
mod protocol;

pub use client::Remote;
pub use host::Host;
pub use keeper::ClientId;

#[cfg(test)]
mod tests;
