//! The modules of the standard library that the binary does not have.
//!
//! `build.rs` includes this file, to leave these modules out of the frozen library. So the file names no other module of the crate.

/// Modules of Python's standard library that are not in the binary, each with a replacement if there is one. Either Python has removed
/// the module since 3.11, or RustPython lacks the part of it that is written in C, or the module is for a terminal, a screen or the
/// installation of Python.
const ABSENT: [(&str, &str); 37] = [
    ("aifc", ""),
    ("antigravity", ""),
    ("asynchat", "asyncio and socketserver"),
    ("asyncore", "asyncio and socketserver"),
    ("audioop", ""),
    ("cProfile", "profile"),
    ("cgi", "request.POST for forms, urllib.parse for queries, email.message for the parameters of headers"),
    ("cgitb", "traceback"),
    ("chunk", ""),
    ("compression.zstd", "zlib, bz2 or lzma"),
    ("crypt", "hashlib"),
    ("curses", ""),
    ("dbm.gnu", "dbm.dumb"),
    ("dbm.ndbm", "dbm.dumb"),
    ("dbm.sqlite3", "dbm.dumb"),
    ("distutils", "shutil and sysconfig"),
    ("ensurepip", ""),
    ("idlelib", ""),
    ("imghdr", "the first bytes of the file"),
    ("lib2to3", "ast"),
    ("mailcap", "mimetypes"),
    ("nntplib", ""),
    ("pipes", "shlex.quote"),
    ("readline", ""),
    ("rlcompleter", ""),
    ("smtpd", ""),
    ("sndhdr", "the first bytes of the file"),
    ("sqlite3", "request.server.stash to keep values"),
    ("ssl", "the https and wss ports of the server"),
    ("sunau", "wave"),
    ("telnetlib", "socket"),
    ("tkinter", ""),
    ("tracemalloc", ""),
    ("turtle", ""),
    ("uu", "binascii.a2b_uu and b2a_uu"),
    ("venv", ""),
    ("xdrlib", "struct"),
];

/// Modules that only modules above, another operating system or an interactive Python import.
const PRIVATE: [&str; 33] = [
    "_aix_support",
    "_android_support",
    "_apple_support",
    "_ios_support",
    "_osx_support",
    // `pdb` and `pydoc`, which `doctest` and `xmlrpc.server` import, need the rest of this package.
    "_pyrepl.__main__",
    "_pyrepl._module_completer",
    "_pyrepl._threading_handler",
    "_pyrepl.base_eventqueue",
    "_pyrepl.commands",
    "_pyrepl.completing_reader",
    "_pyrepl.console",
    "_pyrepl.fancy_termios",
    "_pyrepl.historical_reader",
    "_pyrepl.input",
    "_pyrepl.keymap",
    "_pyrepl.main",
    "_pyrepl.reader",
    "_pyrepl.readline",
    "_pyrepl.simple_interact",
    "_pyrepl.terminfo",
    "_pyrepl.unix_console",
    "_pyrepl.unix_eventqueue",
    "_pyrepl.windows_console",
    "_pyrepl.windows_eventqueue",
    "asyncio.windows_events",
    "asyncio.windows_utils",
    "encodings._win_cp_codecs",
    "encodings.mbcs",
    "encodings.oem",
    "multiprocessing.popen_spawn_win32",
    // The text of `help()` on Python's keywords.
    "pydoc_data",
    "turtledemo",
];

/// Whether the binary leaves a module out: one of those above, or a module inside one.
pub(super) fn is_absent(module: &str) -> bool {
    let is_or_holds =
        |name: &str| module.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    ABSENT.iter().any(|(name, _)| is_or_holds(name)) || PRIVATE.into_iter().any(is_or_holds)
}

/// The message about a module that only CPython has.
pub(super) fn absent_message(name: &str) -> Option<String> {
    if !is_absent(name) {
        return None;
    }
    let instead = ABSENT.iter().find(|(absent, _)| *absent == name).map_or("", |(_, instead)| instead);
    let advice = if instead.is_empty() { String::new() } else { format!("; use {instead}") };
    Some(format!("No module named '{name}': the server's Python does not have it{advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_modules_of_python_are_told_from_unknown_ones() {
        let cgi = absent_message("cgi").unwrap();
        assert!(cgi.starts_with("No module named 'cgi': ") && cgi.contains("use request.POST"), "{cgi}");
        assert_eq!(absent_message("aifc").unwrap(), "No module named 'aifc': the server's Python does not have it");
        assert_eq!(absent_message("nosuchmodule"), None);
    }

    #[test]
    fn a_module_is_left_out_with_all_that_lies_in_it() {
        for absent in ["tkinter", "tkinter.ttk", "dbm.gnu", "pydoc_data.topics", "_pyrepl.reader"] {
            assert!(is_absent(absent), "{absent}");
        }
        for kept in ["dbm", "dbm.dumb", "_pyrepl", "_pyrepl.readers", "turtles", "sslx", "compression", "uuid"] {
            assert!(!is_absent(kept), "{kept}");
        }
    }
}
