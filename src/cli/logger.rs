//! The log: lines on standard output in the format of `wpt serve`, because test runners wait for its exact words.
//!
//! The server never waits for the reader of the log: lines go into a queue, and a thread of the log writes them. When the pipe
//! is full and too many bytes wait, lines are dropped and counted. The log says their number as soon as there is room again.

use std::{
    fmt::Arguments,
    fs::File,
    io::{self, Write as _},
    os::fd::AsFd as _,
    sync::{
        OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread,
    time::Duration,
};

use crate::server::PORT_TARGET;
use jiff::Zoned;
use log::{Level, LevelFilter, Log, Metadata, Record};

/// The most bytes of lines that may wait.
const WAITING: usize = 1024 * 1024;
/// How long the end of the process waits for the last lines to be written.
const LAST_LINES: Duration = Duration::from_millis(200);
/// The name of the process in lines that belong to no port, as Python calls it.
pub(super) const MAIN: &str = "MainProcess";

enum Item {
    Line(String),
    /// Answered when all earlier lines are written.
    Mark(SyncSender<()>),
}

struct Logger {
    queue: Sender<Item>,
    /// Bytes in the queue.
    waiting: AtomicUsize,
    lost: AtomicU64,
}

static LOGGER: OnceLock<Logger> = OnceLock::new();

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // actix logs its workers at the level Info, which does not interest people who run tests.
        metadata.target().starts_with("wptserve") || metadata.level() <= Level::Warn
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let port = record.target().strip_prefix(PORT_TARGET);
            self.put(port.unwrap_or(MAIN), name(record.level()), *record.args());
        }
    }

    fn flush(&self) {
        let (mark, marked) = sync_channel(1);
        // A blocked writer is not a reason to wait longer.
        if self.queue.send(Item::Mark(mark)).is_ok() {
            let _ = marked.recv_timeout(LAST_LINES);
        }
    }
}

impl Logger {
    fn put(&self, process: &str, level: &str, message: Arguments<'_>) {
        let line = line(process, level, message);
        let length = line.len();
        let before = self.waiting.fetch_add(length, Ordering::Relaxed);
        // A single line may be longer than the limit.
        let fits = before == 0 || before + length <= WAITING;
        if !fits || self.queue.send(Item::Line(line)).is_err() {
            self.waiting.fetch_sub(length, Ordering::Relaxed);
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Python's names.
fn name(level: Level) -> &'static str {
    match level {
        Level::Error => "ERROR",
        Level::Warn => "WARNING",
        Level::Info => "INFO",
        Level::Debug | Level::Trace => "DEBUG",
    }
}

fn line(process: &str, level: &str, message: Arguments<'_>) -> String {
    // Python's asctime: local time. Without a time zone on the machine it is UTC.
    let now = Zoned::now().strftime("%Y-%m-%d %H:%M:%S,%3f").to_string();
    format!("[{now} {process}] {level} - {message}\n")
}

/// Sends the log to standard output. Later calls do nothing.
pub(super) fn install() {
    let (queue, lines) = channel();
    if LOGGER.set(Logger { queue, waiting: AtomicUsize::new(0), lost: AtomicU64::new(0) }).is_err() {
        return;
    }
    // Without a thread or a standard output there is no log, but the server serves nevertheless.
    if let Ok(out) = io::stdout().as_fd().try_clone_to_owned() {
        let _ = thread::Builder::new().name("log".to_owned()).spawn(move || write(&lines, File::from(out)));
    }
    if let Some(logger) = LOGGER.get()
        && log::set_logger(logger).is_ok()
    {
        log::set_max_level(LevelFilter::Info);
    }
}

/// Logs a line about a port, or another part that has a name.
pub(super) fn info(process: &str, message: Arguments<'_>) {
    if let Some(logger) = LOGGER.get()
        && log::max_level() >= LevelFilter::Info
    {
        logger.put(process, "INFO", message);
    }
}

/// Logs why the server does not start.
pub(super) fn critical(process: &str, message: Arguments<'_>) {
    if let Some(logger) = LOGGER.get() {
        logger.put(process, "CRITICAL", message);
    }
}

/// Gives the last lines a moment to be written.
pub(super) fn finish() {
    if let Some(logger) = LOGGER.get() {
        logger.flush();
    }
}

fn write(items: &Receiver<Item>, mut out: File) {
    for item in items {
        let Some(logger) = LOGGER.get() else { return };
        match item {
            Item::Line(text) => {
                whole(&mut out, text.as_bytes());
                logger.waiting.fetch_sub(text.len(), Ordering::Relaxed);
            }
            Item::Mark(mark) => {
                // The thread that waits for the mark may have given up.
                let _ = mark.try_send(());
            }
        }
        let lost = logger.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let text = line(
                MAIN,
                "WARNING",
                format_args!("{lost} lines of the log were lost, because its pipe was not read in time"),
            );
            whole(&mut out, text.as_bytes());
        }
    }
}

/// Writes a whole line. Another process that shares the pipe may have made it non-blocking.
fn whole(out: &mut File, mut text: &[u8]) {
    while !text.is_empty() {
        match out.write(text) {
            Ok(0) => return,
            Ok(count) => text = text.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(Duration::from_millis(5)),
            // A closed pipe only loses the line.
            Err(_) => return,
        }
    }
}
