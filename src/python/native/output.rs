//! The output of handlers as lines of the server's log: `sys.stdout`, `sys.stderr` and Python's `logging`
//! (`pylib-stubs/_wptserve_output.py`).
//!
//! A line goes to the log as soon as it is complete, with the path of the handler's file. Text without a line end is kept for its thread
//! until the line end comes, the stream is flushed, the handler returns, its thread ends, or the server stops.

use std::{
    borrow::Cow,
    cell::Cell,
    collections::HashMap,
    fmt::Write as _,
    thread::{self, ThreadId},
};

use log::Level;
use parking_lot::Mutex;
use rustpython_vm::VirtualMachine;

/// The target of the handlers' lines; the log shows all targets that begin with the name of the crate.
const TARGET: &str = "wptserve::handler";
/// A line without an end is not kept longer than this, in bytes.
const MAX_LINE: usize = 256 * 1024;

/// The beginning of a line.
#[derive(Default)]
struct Partial {
    /// The handler's file.
    file: Option<String>,
    bytes: Vec<u8>,
}

/// Beginnings of lines, by the thread that writes them and their level.
static PARTIAL: Mutex<Option<HashMap<(ThreadId, Level), Partial>>> = Mutex::new(None);

thread_local! {
    /// Whether this thread has unfinished lines; they are logged when the thread ends.
    static HAS_PARTIAL: Last = const { Last(Cell::new(false)) };
}

struct Last(Cell<bool>);

impl Drop for Last {
    fn drop(&mut self) {
        if self.0.get() {
            say_all(|thread, _| thread == thread::current().id());
        }
    }
}

/// Logs the text that this thread has written without a line end. Costs almost no time when there is none.
pub(in crate::python) fn end_lines() {
    if HAS_PARTIAL.with(|has| has.0.replace(false)) {
        say_all(|thread, _| thread == thread::current().id());
    }
}

/// Logs the unfinished lines of all threads, because the server stops.
pub(in crate::python) fn end_all_lines() {
    say_all(|_, _| true);
}

fn say_all(is_meant: impl Fn(ThreadId, Level) -> bool) {
    let ended: Vec<_> = match PARTIAL.lock().as_mut() {
        Some(partial) => partial.extract_if(|(thread, level), _| is_meant(*thread, *level)).collect(),
        None => return,
    };
    for ((_, level), Partial { file, bytes }) in ended {
        say(level, file.as_deref(), &bytes);
    }
}

/// One line for the log.
fn say(level: Level, file: Option<&str>, line: &[u8]) {
    let text = String::from_utf8_lossy(line);
    let text = printable(text.trim_end_matches('\r'));
    match file {
        Some(file) => log::log!(target: TARGET, level, "{file}: {text}"),
        None => log::log!(target: TARGET, level, "{text}"),
    }
}

/// The text without characters that control a terminal or begin a new line.
fn printable(text: &str) -> Cow<'_, str> {
    let is_plain = |sign: char| sign == '\t' || !(sign.is_control() || matches!(sign, '\u{2028}' | '\u{2029}'));
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for sign in text.chars() {
        // Writing to a String cannot fail.
        let _ = match u32::from(sign) {
            _ if is_plain(sign) => shown.write_char(sign),
            code @ ..=0xff => write!(shown, "\\x{code:02x}"),
            code => write!(shown, "\\u{code:04x}"),
        };
    }
    Cow::Owned(shown)
}

/// The file of the running handler: the outermost frame whose file is not a part of the library.
fn handler_file(vm: &VirtualMachine) -> Option<String> {
    let mut frame = vm.current_frame();
    let mut file = None;
    while let Some(current) = frame {
        let path = current.f_code().source_path().as_str();
        if path.starts_with('/') {
            file = Some(path.to_owned());
        }
        frame = current.f_back(vm);
    }
    file
}

/// Takes the text that is written to a stream.
fn write(level: Level, bytes: &[u8], vm: &VirtualMachine) {
    if !log::log_enabled!(target: TARGET, level) {
        return;
    }
    let key = (thread::current().id(), level);
    let mut begun = PARTIAL.lock().get_or_insert_default().remove(&key).unwrap_or_default();
    if begun.file.is_none() {
        begun.file = handler_file(vm);
    }
    let mut rest = bytes;
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let (line, behind) = rest.split_at(end);
        if begun.bytes.is_empty() {
            say(level, begun.file.as_deref(), line);
        } else {
            begun.bytes.extend_from_slice(line);
            say(level, begun.file.as_deref(), &begun.bytes);
            begun.bytes.clear();
        }
        rest = behind.get(1..).unwrap_or_default();
    }
    for piece in rest.chunks(MAX_LINE) {
        begun.bytes.extend_from_slice(piece);
        if begun.bytes.len() >= MAX_LINE {
            say(level, begun.file.as_deref(), &begun.bytes);
            begun.bytes.clear();
        }
    }
    if !begun.bytes.is_empty() {
        HAS_PARTIAL.with(|has| has.0.set(true));
        PARTIAL.lock().get_or_insert_default().insert(key, begun);
    }
}

/// Python's number of a level as one of the log's.
fn level_of(number: i64) -> Level {
    match number {
        40.. => Level::Error,
        30.. => Level::Warn,
        20.. => Level::Info,
        _ => Level::Debug,
    }
}

#[rustpython_vm::pymodule(sub)]
pub(super) mod functions {
    use log::LevelFilter;
    use rustpython_vm::{VirtualMachine, builtins::PyBytesRef};

    /// Writes bytes to the log as a stream of this level (a number of Python's `logging`).
    #[pyfunction]
    fn output_write(level: i64, data: PyBytesRef, vm: &VirtualMachine) {
        super::write(super::level_of(level), data.as_bytes(), vm);
    }

    /// Says what has been written without a line end.
    #[pyfunction]
    fn output_flush(level: i64) {
        let (thread, level) = (std::thread::current().id(), super::level_of(level));
        super::say_all(|its_thread, its_level| (its_thread, its_level) == (thread, level));
    }

    /// Writes a message of `logging`, which may have several lines.
    #[pyfunction]
    fn output_log(level: i64, message: PyBytesRef, vm: &VirtualMachine) {
        let level = super::level_of(level);
        if !log::log_enabled!(target: super::TARGET, level) {
            return;
        }
        let file = super::handler_file(vm);
        for line in message.as_bytes().split(|byte| *byte == b'\n') {
            super::say(level, file.as_deref(), line);
        }
    }

    /// The level of the server's log, as a number of Python's `logging`.
    #[pyfunction]
    fn output_level() -> i64 {
        match log::max_level() {
            LevelFilter::Off => 50,
            LevelFilter::Error => 40,
            LevelFilter::Warn => 30,
            LevelFilter::Info => 20,
            LevelFilter::Debug | LevelFilter::Trace => 10,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_neutralised() {
        for (text, shown) in [
            ("plain\ttext \u{e9}", "plain\ttext \u{e9}"),
            ("a\0b\x1b[31m\x7f\r", "a\\x00b\\x1b[31m\\x7f\\x0d"),
            ("\u{9b}31m\u{2028}", "\\x9b31m\\u2028"),
            ("", ""),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn levels_of_python_are_levels_of_the_log() {
        assert_eq!(
            [0, 10, 15, 20, 25, 30, 40, 50, 99].map(level_of),
            [
                Level::Debug,
                Level::Debug,
                Level::Debug,
                Level::Info,
                Level::Info,
                Level::Warn,
                Level::Error,
                Level::Error,
                Level::Error
            ]
        );
    }
}
