//! Errors of the system because the process, or the machine, has no descriptor, memory or disk space left.
//!
//! A file that cannot be opened for such a reason is not missing, but a client that gets a 404 believes that it is. So the client gets
//! a 503, and may try again.

use std::{
    io,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::reply::Reply;

/// The value of `Retry-After`, in seconds.
pub const RETRY_AFTER: &str = "1";
/// The time between two lines of the log about the same matter.
const QUIET: Duration = Duration::from_secs(10);

/// A line of the log that many requests may cause and that is written once within ten seconds.
#[derive(Debug)]
pub struct SeldomLine(Mutex<(Option<Instant>, u64)>);

impl SeldomLine {
    /// A line that has not been written yet.
    pub const fn new() -> Self {
        Self(Mutex::new((None, 0)))
    }

    /// Whether the line may be written now: if so, how often it was left out since the last time.
    pub fn turn(&self) -> Option<u64> {
        let now = Instant::now();
        let (last, left_out) = &mut *self.0.lock();
        if last.is_some_and(|last| now.saturating_duration_since(last) < QUIET) {
            *left_out += 1;
            return None;
        }
        *last = Some(now);
        Some(std::mem::take(left_out))
    }
}

impl Default for SeldomLine {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether an error says that no descriptor or memory is left.
pub fn is_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOSPC | libc::EDQUOT))
}

/// 503 with `Retry-After`; wptserve has no such answer. The log gets one line for all such answers within ten seconds. `what` names the
/// operation that failed, such as `cannot read /a.txt`.
pub fn reply(what: &str, error: &io::Error) -> Reply {
    note(what, error);
    busy(&format!("the server has no resources left for this request: {error}; try again later"))
}

/// 503 with `Retry-After`.
pub fn busy(message: &str) -> Reply {
    let mut reply = Reply::error(503, message);
    reply.push("Retry-After", RETRY_AFTER);
    reply
}

/// The line for the log alone.
pub fn note(what: &str, error: &io::Error) {
    static LINE: SeldomLine = SeldomLine::new();
    let Some(left_out) = LINE.turn() else { return };
    let before = match left_out {
        0 => String::new(),
        count => format!(" ({count} more times since the last such line)"),
    };
    log::error!("{what}: {error}{before}; such requests are answered with 503. {}", remedy(error));
}

fn remedy(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::ENFILE) => "The machine has reached its limit of open files: raise the sysctl fs.file-max",
        Some(libc::ENOSPC) => "The disk is full: make room where temporary files go, or point TMPDIR elsewhere",
        Some(libc::EDQUOT) => {
            "Request bodies fill all that temporary files may have: raise bounds.temporary_bytes in the configuration"
        }
        Some(libc::ENOMEM) => "No memory is left: raise MemoryMax= of the systemd unit, or the limit of the container",
        _ => "The process has reached its limit of open files: raise `ulimit -n`, or LimitNOFILE= of the systemd unit",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_run_out_is_a_shortage() {
        for (number, expected, word) in [
            (libc::EMFILE, true, "LimitNOFILE"),
            (libc::ENFILE, true, "fs.file-max"),
            (libc::ENOMEM, true, "MemoryMax"),
            (libc::ENOSPC, true, "TMPDIR"),
            (libc::EDQUOT, true, "bounds.temporary_bytes"),
            (libc::ENOENT, false, ""),
            (libc::EACCES, false, ""),
            (libc::EIO, false, ""),
        ] {
            let error = io::Error::from_raw_os_error(number);
            assert_eq!(is_shortage(&error), expected, "{error}");
            assert!(remedy(&error).contains(word), "{error}");
        }
        assert!(!is_shortage(&io::Error::other("Too many open files")));
    }

    #[test]
    fn a_line_that_is_left_out_is_counted() {
        let line = SeldomLine::new();
        assert_eq!([line.turn(), line.turn(), line.turn()], [Some(0), None, None]);
        line.0.lock().0 = Instant::now().checked_sub(QUIET);
        assert_eq!([line.turn(), line.turn()], [Some(2), None]);
    }

    #[test]
    fn the_answer_says_when_to_come_again() {
        let reply = reply("cannot read /a", &io::Error::from_raw_os_error(libc::EMFILE));
        assert_eq!(reply.status, 503);
        assert!(reply.headers.iter().any(|(name, value)| name == "Retry-After" && value == "1"), "{:?}", reply.headers);
    }
}
