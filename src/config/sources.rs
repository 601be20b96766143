//! Where a configuration comes from: the checkout, files, flags.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Map, Value, json};

use super::{defaults, errors::ConfigError, merge};
use crate::handover::ImportPolicy;

/// Which names the DNS server knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dns {
    /// The domains of the tests.
    Domains,
    /// Every name below their hosts.
    Wildcards,
}

/// The flags of a command line that override the files.
#[derive(Debug, Clone)]
pub struct Flags {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--doc_root`.
    pub doc_root: Option<PathBuf>,
    /// `--ws_doc_root`.
    pub ws_doc_root: Option<PathBuf>,
    /// `--ws_extra`, as often as given.
    pub ws_extra: Vec<PathBuf>,
    /// `--alias_file`.
    pub alias_file: Option<PathBuf>,
    /// `--inject-script`.
    pub inject_script: Option<PathBuf>,
    /// `--latency`.
    pub latency: Duration,
    /// `--handler-timeout`; zero is no limit.
    pub handler_timeout: Option<Duration>,
    /// Whether there is an HTTP/2 port by default.
    pub h2: bool,
    /// `--webtransport-h3`.
    pub webtransport: bool,
    /// `--dns`.
    pub dns: Option<Dns>,
    /// `--verbose`.
    pub verbose: bool,
    /// `--host`: instead of `server_host`.
    pub host: Option<String>,
    /// `--import-policy`.
    pub import_policy: Option<ImportPolicy>,
    /// `--ready-file`.
    pub ready_file: Option<PathBuf>,
}

/// The checkout whose `config.json` and certificates count: the directory of the `wpt` script when one was named, the
/// current directory when it looks like a checkout, or else the doc root of the command line.
///
/// # Errors
/// No directory of these was found.
pub fn find_root(script: Option<&Path>, doc_root: Option<&Path>) -> Result<PathBuf, ConfigError> {
    if let Some(script) = script {
        let script = absolute(script)?;
        return Ok(script.parent().unwrap_or(&script).to_owned());
    }
    let current = absolute(Path::new("."))?;
    if is_checkout(&current) {
        return Ok(current);
    }
    doc_root.map_or(Err(ConfigError::NoCheckout(current)), absolute)
}

/// Whether a directory looks like a checkout of web-platform-tests.
pub(super) fn is_checkout(directory: &Path) -> bool {
    directory.join("resources/testharness.js").is_file() || directory.join("wpt").is_file()
}

/// Defaults, `config.json` of the checkout, `--config`, and those flags that handlers can see in the configuration.
pub(super) fn gather(repo_root: &Path, flags: &Flags) -> Result<(Map<String, Value>, Vec<String>), ConfigError> {
    let mut data = defaults::wpt(repo_root, flags.h2);
    let mut warnings = Vec::new();
    let own = repo_root.join("config.json");
    if own.exists() {
        overlay(&mut data, own, &mut warnings)?;
    }
    if let Some(path) = &flags.config {
        overlay(&mut data, home(path), &mut warnings)?;
    }
    if flags.verbose
        && let Some(level) = data.get_mut("logging").and_then(|logging| logging.get_mut("level"))
    {
        *level = json!("DEBUG");
    }
    if !flags.h2 {
        // The key is missing from the defaults because of --no-h2, so a warning about it would mislead.
        warnings.retain(|warning| !warning.starts_with("ports.h2 "));
    }
    if let Some(path) = &flags.alias_file {
        let aliases = read_aliases(path)?;
        match data.get_mut("aliases") {
            Some(Value::Array(known)) => known.extend(aliases),
            _ => return Err(ConfigError::kind("aliases", "a list", data.get("aliases").unwrap_or(&Value::Null))),
        }
    }
    Ok((data, warnings))
}

/// Merges a file into `data`. There may be two files, so an error names its file.
fn overlay(data: &mut Map<String, Value>, path: PathBuf, warnings: &mut Vec<String>) -> Result<(), ConfigError> {
    let over = read_json(path.clone())?;
    merge::update(data, over, warnings).map_err(|source| ConfigError::In { path, source: Box::new(source) })
}

/// Lines of `/ALIAS_NAME/, DOC_ROOT`.
fn read_aliases(path: &Path) -> Result<Vec<Value>, ConfigError> {
    let text = read(home(path))?;
    String::from_utf8_lossy(&text)
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| match line.split_once(',') {
            Some((alias, root)) if !root.contains(',') => {
                Ok(json!({"url-path": alias.trim(), "local-dir": root.trim()}))
            }
            _ => Err(ConfigError::AliasLine { path: path.to_owned(), line: index + 1 }),
        })
        .collect()
}

/// Reads a file from its beginning to its end, once: it may be a pipe.
pub(super) fn read(path: PathBuf) -> Result<Vec<u8>, ConfigError> {
    fs::read(&path).map_err(|source| ConfigError::Read { path, source })
}

fn read_json(path: PathBuf) -> Result<Value, ConfigError> {
    let text = read(path.clone())?;
    serde_json::from_slice(&text).map_err(|source| ConfigError::Json { path, source })
}

/// A directory that a flag names, absolute.
pub(super) fn existing(title: &'static str, path: &Path) -> Result<PathBuf, ConfigError> {
    let path = absolute(path)?;
    if path.is_dir() { Ok(path) } else { Err(ConfigError::Missing { title, path }) }
}

/// Makes a path absolute, relative to the directory in which the process was started. `~` is the home directory, as in
/// wptserve.
///
/// # Errors
/// The path is empty, or the working directory is gone.
pub fn absolute(path: &Path) -> Result<PathBuf, ConfigError> {
    std::path::absolute(home(path)).map_err(|source| ConfigError::Absolute { path: path.to_owned(), source })
}

fn home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}
