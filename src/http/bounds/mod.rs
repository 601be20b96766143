//! What one client may take, and all of them together: the numbers, and the counters of what is shared.
//!
//! The numbers are plain data ([`Bounds`]), read by `config` and handed to the rooms that hold them. The counters
//! ([`Ledger`]) belong to the process, as memory and disk do. `docs/bounds.md` says for each bound why it is there and what
//! the client gets.

mod ledger;
mod limits;

pub use ledger::{Account, BUFFERED, Ledger, Share, TEMPORARY};
pub use limits::{Bounds, Limit};
