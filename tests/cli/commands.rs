//! The other commands, and the Python personality.

use std::{fs, os::unix::fs::symlink, path::Path};

use tempfile::TempDir;

use super::{
    refused, run,
    wpt::{Start, checkout, config},
};
use crate::util::BINARY;

#[test]
fn make_hosts_file_prints_wpts_lines() {
    let recorded = include_str!("hosts.txt");
    assert_eq!(run(&["make-hosts-file"]), (0, recorded.to_owned(), String::new()));
    let address = "fd00::1";
    assert_eq!(run(&["make-hosts-file", address]).1, recorded.replace("127.0.0.1", address));
    refused(&["make-hosts-file", "--dance"], 2, &["--dance"]);
    refused(&["make-hosts-file", "::1", "b"], 2, &["Usage"]);
}

#[test]
fn completions_and_manual_pages_are_printed() {
    for shell in ["bash", "zsh", "fish"] {
        let (code, text, _) = run(&["completions", shell]);
        assert!(code == 0 && text.contains("make-hosts-file"), "{shell}: {text}");
    }
    refused(&["completions", "csh"], 2, &["csh", "bash"]);
    let (code, text, _) = run(&["man"]);
    assert!(code == 0 && text.contains(".TH wptserve 1") && text.contains("Exit codes"), "{text}");
    let (code, text, _) = run(&["man", "serve"]);
    assert!(code == 0 && text.contains(".TH wptserve-serve 1") && text.contains("ready"), "{text}");
    refused(&["man", "dance"], 2, &["no command \"dance\""]);
}

/// The binary under the name of Python.
pub fn python(name: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    symlink(BINARY, folder.path().join(name)).unwrap();
    folder
}

#[test]
fn as_python_it_runs_the_wpt_script() {
    let site = checkout(&[("a.txt", "a")]);
    let script = site.show("wpt");
    let elsewhere = TempDir::new().unwrap();
    symlink(site.path().join("wpt"), elsewhere.path().join("wpt")).unwrap();
    for (name, directory, before) in [
        ("python", site.path(), &["wpt"][..]),
        ("python3", elsewhere.path(), &["-u", script.as_str()]),
        ("python3.11", elsewhere.path(), &["-u", "./wpt", "--venv", "/dev/null", "--skip-venv-setup", "--debug"]),
    ] {
        let folder = python(name);
        let mut server = Start::new(directory).program(&folder.path().join(name), before).config(&config()).start();
        assert_eq!(server.get("/a.txt"), "a", "{before:?}");
        assert!(server.stop("INT").success());
    }
}

fn as_python(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let folder = python("python3");
    let output = std::process::Command::new(folder.path().join("python3"))
        .args(arguments)
        .current_dir(directory)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn as_python_it_has_a_version_and_refuses_the_rest() {
    let site = checkout(&[]);
    fs::write(site.path().join("setup.py"), "").unwrap();
    for flag in ["--version", "-V"] {
        assert_eq!(as_python(site.path(), &[flag]), (0, "Python 3.11.7\n".to_owned(), String::new()));
    }
    assert_eq!(as_python(site.path(), &["./wpt", "make-hosts-file"]).1, include_str!("hosts.txt"));
    for (arguments, part) in [
        (&[][..], "not a Python interpreter"),
        (&["-c", "print(1)"], "not a Python interpreter"),
        (&["setup.py"], "setup.py is another script"),
        (&["gone/wpt", "serve"], "can't open file"),
        (&["wpt", "manifest"], "`wpt manifest` needs a real Python, but this program is wptserve-rs"),
        (&["wpt", "run", "chrome"], "such as /usr/bin/python3 wpt run"),
        (&["wpt", "dance"], "of wpt's commands it has only `serve` and `make-hosts-file`"),
        (&["wpt"], "Usage: wpt"),
        (&["wpt", "serve", "--dance"], "--dance"),
    ] {
        let (code, _, message) = as_python(site.path(), arguments);
        assert!(code == 2 && message.contains(part), "{arguments:?}: {code} {message}");
        assert!(!message.contains("similar subcommand"), "{message}");
    }
    // A command line without the link's `python3 wpt` gets the same message.
    refused(&["manifest"], 2, &["`wpt manifest` needs a real Python"]);
    refused(&["dance"], 2, &["unrecognized subcommand 'dance'"]);
}
