//! The log: lines on standard output in the format of `wpt serve`, which its users wait for word by word.
//!
//! Nothing here waits for the reader of the log: lines go into a queue. In the process that serves, a thread of its own writes them.
//! In the supervisor, which has no threads, they are written as far as that goes without waiting ([`drain`]). When too much waits
//! because nobody reads the pipe, lines are dropped, counted, and the number is said once there is room again.
//!
//! Every line is one write, so that the lines of the two processes do not mix.

mod direct;

use std::{
    collections::VecDeque,
    fmt::Arguments,
    fs::File,
    io::{self, Write as _},
    os::fd::AsFd as _,
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use jiff::Zoned;
use log::{Level, LevelFilter, Log, Metadata, Record};
use parking_lot::{Condvar, Mutex};

use crate::server::PORT_TARGET;
use direct::Direct;

/// How many bytes of lines may wait.
const WAITING: usize = 1024 * 1024;
/// How long the end of the process waits for the last lines to be written.
const LAST_LINES: Duration = Duration::from_millis(200);
/// The name of the process in lines that belong to no port, as Python calls it.
pub(super) const MAIN: &str = "MainProcess";

#[derive(Default)]
struct Queue {
    lines: VecDeque<String>,
    /// Bytes of the lines, the one included that is being written.
    bytes: usize,
    lost: u64,
    /// A thread writes the lines.
    has_writer: bool,
    /// Where lines are written without a thread.
    direct: Option<Direct>,
}

#[derive(Default)]
struct Logger {
    queue: Mutex<Queue>,
    changed: Condvar,
}

static LOGGER: OnceLock<Logger> = OnceLock::new();

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // actix speaks of its workers at the level Info: nobody who runs tests wants to know.
        metadata.target().starts_with("wptserve") || metadata.level() <= Level::Warn
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let port = record.target().strip_prefix(PORT_TARGET);
            self.put(port.unwrap_or(MAIN), name(record.level()), *record.args());
        }
    }

    fn flush(&self) {
        let deadline = Instant::now() + LAST_LINES;
        // A reader that does not read is no reason to wait longer.
        loop {
            let mut queue = self.queue.lock();
            if queue.has_writer {
                if queue.bytes == 0 || self.changed.wait_until(&mut queue, deadline).timed_out() {
                    return;
                }
            } else if !queue.drain() || Instant::now() >= deadline {
                return;
            } else {
                drop(queue);
                thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

impl Logger {
    fn put(&self, process: &str, level: &str, message: Arguments<'_>) {
        let line = line(process, level, message);
        let mut queue = self.queue.lock();
        // A single line may be longer than all that may wait.
        if queue.bytes == 0 || queue.bytes + line.len() <= WAITING {
            queue.tell_lost();
            queue.push(line);
            self.changed.notify_all();
        } else {
            queue.lost += 1;
        }
    }
}

impl Queue {
    fn push(&mut self, line: String) {
        self.bytes += line.len();
        self.lines.push_back(line);
    }

    /// Says how many lines had no room, behind those that had.
    fn tell_lost(&mut self) {
        let lost = std::mem::take(&mut self.lost);
        if lost > 0 {
            let text = format_args!("{lost} lines of the log were lost: nobody read them in time");
            self.push(line(MAIN, "WARNING", text));
        }
    }

    /// The next line to be written.
    fn next(&mut self) -> Option<String> {
        if self.lines.is_empty() {
            self.tell_lost();
        }
        self.lines.pop_front()
    }

    /// Writes as much as can be written without waiting. Whether something is left.
    fn drain(&mut self) -> bool {
        let mut direct = self.direct.take().unwrap_or_else(Direct::new);
        while direct.is_ready()
            && let Some(line) = self.next()
        {
            self.bytes = self.bytes.saturating_sub(line.len());
            direct.write(line);
        }
        let is_left = direct.is_busy() || !self.lines.is_empty();
        self.direct = Some(direct);
        is_left
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

/// Takes what is logged from now on. It stays in the queue until [`start`], [`drain`] or [`finish`]. Later calls do nothing.
pub(super) fn install() {
    if log::set_logger(LOGGER.get_or_init(Logger::default)).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}

/// Starts the thread that writes the log to standard output.
pub(super) fn start() {
    let Some(logger) = LOGGER.get() else { return };
    // Without a thread or a standard output there is no log, which is no reason to serve nothing.
    if let Ok(out) = io::stdout().as_fd().try_clone_to_owned() {
        let started = thread::Builder::new().name("log".to_owned()).spawn(move || write(logger, File::from(out)));
        logger.queue.lock().has_writer = started.is_ok();
    }
}

/// Forgets the lines that another process writes, of which this one is a copy.
pub(super) fn forget() {
    if let Some(logger) = LOGGER.get() {
        *logger.queue.lock() = Queue::default();
    }
}

/// Writes as much as can be written without waiting. Whether something is left.
pub(super) fn drain() -> bool {
    LOGGER.get().is_some_and(|logger| logger.queue.lock().drain())
}

/// Says something about a port, or another part that has a name.
pub(super) fn info(process: &str, message: Arguments<'_>) {
    if let Some(logger) = LOGGER.get()
        && log::max_level() >= LevelFilter::Info
    {
        logger.put(process, "INFO", message);
    }
}

/// Says why the server does not start.
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

fn write(logger: &Logger, mut out: File) {
    loop {
        let line = {
            let mut queue = logger.queue.lock();
            loop {
                match queue.next() {
                    Some(line) => break line,
                    None => logger.changed.wait(&mut queue),
                }
            }
        };
        whole(&mut out, line.as_bytes());
        logger.queue.lock().bytes -= line.len();
        logger.changed.notify_all();
    }
}

/// Writes all of a line. Whoever shares the pipe with us may have made it non-blocking.
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
