//! The Python personality: installed or linked as `python`, the binary takes the command lines that start `wpt serve` and
//! `wpt make-hosts-file`, so that projects that start WPT through Python can use it without a change.
//!
//! The binary is not a Python interpreter. It refuses any other command line with a message that says so.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use clap::error::{ContextKind, ContextValue};

/// The version that the binary claims to be, because handlers run as on this one. Deno accepts only 3.11.
const VERSION: &str = "Python 3.11.7\n";

/// The meaning of a command line for Python.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Print this text and end.
    Print(&'static str),
    /// Run the command of this `wpt` script with these arguments.
    Wpt { script: PathBuf, arguments: Vec<OsString> },
    /// Print this message and end with exit code 2.
    Refuse(String),
}

/// Whether a program of this name is expected to be Python: python, python3, python3.11.
pub(super) fn is_python(program: &OsStr) -> bool {
    let name = Path::new(program).file_name().and_then(OsStr::to_str).unwrap_or_default();
    let name = name.strip_suffix(".exe").unwrap_or(name);
    let version = name.strip_prefix("python");
    version.is_some_and(|version| version.chars().all(|letter| letter.is_ascii_digit() || letter == '.'))
}

/// Reads the arguments behind the program's name.
pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Line {
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let Some(text) = argument.to_str().filter(|text| text.starts_with('-')) else {
            return script(argument.into(), arguments.collect());
        };
        match text {
            "--version" | "-V" | "-VV" => return Line::Print(VERSION),
            // These two take a value. Those below concern parts that this binary does not have: a site, byte code, buffered output.
            "-X" | "-W" => drop(arguments.next()),
            _ if text.starts_with("-X") || text.starts_with("-W") => {}
            _ if text.len() > 1 && text.chars().skip(1).all(|flag| "bBdEiIOPqRsSuvx".contains(flag)) => {}
            _ => return Line::Refuse(format!("{} It does not take {text:?}.", introduction())),
        }
    }
    Line::Refuse(format!("{} No script was named.", introduction()))
}

fn script(path: PathBuf, arguments: Vec<OsString>) -> Line {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    if !matches!(name, "wpt" | "wpt.py") {
        return Line::Refuse(format!("{} {} is another script.", introduction(), path.display()));
    }
    // The checkout is the directory of the script itself, not that of a link to it.
    let found = match path.symlink_metadata() {
        Ok(found) if found.is_symlink() => path.canonicalize(),
        Ok(_) => Ok(path.clone()),
        Err(error) => Err(error),
    };
    match found {
        Ok(script) => Line::Wpt { script, arguments },
        Err(error) => Line::Refuse(format!("can't open file {:?}: {error}", path.display())),
    }
}

/// Commands of `wpt` (tools/*/commands.json of 2026) that only a Python can run.
const ELSEWHERE: [&str; 31] = [
    "branch-point",
    "create",
    "docker-build",
    "docker-push",
    "docker-run",
    "files-changed",
    "install",
    "install-android-emulator",
    "lint",
    "macos-display-configuration",
    "manifest",
    "manifest-download",
    "metadata-list",
    "metadata-validate",
    "regen-certs",
    "rev-list",
    "run",
    "serve-wave",
    "spec",
    "start-android-emulator",
    "tc-decision",
    "tc-download",
    "tc-sink-task",
    "tc-taskgraph",
    "test-jobs",
    "test-paths",
    "tests-affected",
    "update-built",
    "update-codeowners",
    "update-expectations",
    "web-features-manifest",
];

/// The message for a command line that names a command of `wpt` that this binary does not have. `name` is "wpt" when the
/// command line has the `wpt` script: then every command is meant for `wpt`.
pub(super) fn not_here(name: &str, refusal: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(command)) = refusal.get(ContextKind::InvalidSubcommand) else { return None };
    (name == "wpt" || ELSEWHERE.contains(&command.as_str())).then(|| {
        format!(
            "`wpt {command}` needs a real Python, but this program is wptserve-rs: of wpt's commands it has only `serve` and \
             `make-hosts-file`. Name the real Python, such as /usr/bin/python3 wpt {command}, or take the link to wptserve off \
             the PATH for this command."
        )
    })
}

fn introduction() -> &'static str {
    "This `python` is wptserve-rs and not a Python interpreter: it takes only `[-u] wpt serve …`, `[-u] wpt make-hosts-file …` \
     and --version. Use a real Python for other commands."
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Line {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn programs_called_python_are_recognised() {
        for (program, python) in [
            ("python", true),
            ("/usr/bin/python3", true),
            ("python3.11", true),
            ("python.exe", true),
            ("wptserve", false),
            ("python-config", false),
            ("pythonw", false),
            ("", false),
        ] {
            assert_eq!(is_python(OsStr::new(program)), python, "{program}");
        }
    }

    #[test]
    fn the_wpt_script_is_found_behind_flags() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("wpt"), "").unwrap();
        std::os::unix::fs::symlink(path("wpt"), path("wpt.py")).unwrap();
        let wpt = |line: &str| match parsed(&line.replace('@', folder.path().to_str().unwrap())) {
            Line::Wpt { script, arguments } => (script.file_name().unwrap().to_owned(), arguments.len()),
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(wpt("@/wpt serve"), ("wpt".into(), 1));
        assert_eq!(wpt("-u @/wpt serve --config x"), ("wpt".into(), 3));
        assert_eq!(wpt("-uB -X dev -W error -Xutf8 @/wpt"), ("wpt".into(), 0));
        // The checkout is where the link leads.
        assert_eq!(wpt("@/wpt.py --venv x serve"), ("wpt".into(), 3));
    }

    #[test]
    fn anything_else_is_refused() {
        for (line, part) in [
            ("", "No script was named"),
            ("-c print(1)", "It does not take \"-c\""),
            ("-m http.server", "It does not take \"-m\""),
            ("-", "It does not take \"-\""),
            ("--help", "It does not take \"--help\""),
            ("setup.py install", "setup.py is another script"),
            ("missing/wpt serve", "can't open file \"missing/wpt\""),
        ] {
            match parsed(line) {
                Line::Refuse(message) => assert!(message.contains(part), "{line}: {message}"),
                other => panic!("{line}: {other:?}"),
            }
        }
        assert_eq!(parsed("-V"), Line::Print(VERSION));
        assert_eq!(parsed("--version"), Line::Print(VERSION));
    }
}
