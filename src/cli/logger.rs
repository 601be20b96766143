//! The log: lines on standard error, made by the `log` crate's macros. Nothing here may fail loudly: a closed pipe only
//! loses the line.

use std::io::Write as _;

use log::{LevelFilter, Log, Metadata, Record};
use time::{OffsetDateTime, macros::format_description};

struct Logger;

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // actix speaks of its workers at the level Info: nobody who runs tests wants to know.
        let own = metadata.target().starts_with("wptserve");
        metadata.level() <= if own { LevelFilter::Info } else { LevelFilter::Warn }
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second],[subsecond digits:3]");
            let now = OffsetDateTime::now_utc().format(format).unwrap_or_default();
            // One write per line, so that lines of several threads do not mix.
            let line = format!("[{now}] {} - {}\n", record.level(), record.args());
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
    }

    fn flush(&self) {}
}

/// Sends the log to standard error. Later calls do nothing.
pub(super) fn install() {
    static LOGGER: Logger = Logger;
    if log::set_logger(&LOGGER).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}
