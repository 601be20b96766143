//! Where a configuration comes from: the checkout, files, flags.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Map, Value, json};

use super::{defaults, errors::ConfigError, merge};
use crate::python::ImportPolicy;

/// What a command line can say over the files.
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
    /// Whether there is an HTTP/2 port by default.
    pub h2: bool,
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
/// None of them is there.
pub fn find_root(script: Option<&Path>, doc_root: Option<&Path>) -> Result<PathBuf, ConfigError> {
    if let Some(script) = script {
        let script = absolute(script)?;
        return Ok(script.parent().unwrap_or(&script).to_owned());
    }
    let current = absolute(Path::new("."))?;
    if current.join("resources/testharness.js").is_file() || current.join("wpt").is_file() {
        return Ok(current);
    }
    doc_root.map_or(Err(ConfigError::NoCheckout(current)), absolute)
}

/// Defaults, `config.json` of the checkout, `--config`, and those flags that handlers can see in the configuration.
pub(super) fn gather(repo_root: &Path, flags: &Flags) -> Result<(Map<String, Value>, Vec<String>), ConfigError> {
    let mut data = defaults::wpt(repo_root, flags.h2);
    let mut warnings = Vec::new();
    let own = repo_root.join("config.json");
    if own.exists() {
        merge::update(&mut data, read(&own)?, &mut warnings)?;
    }
    if let Some(path) = &flags.config {
        merge::update(&mut data, read(&home(path))?, &mut warnings)?;
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

/// Lines of `/ALIAS_NAME/, DOC_ROOT`.
fn read_aliases(path: &Path) -> Result<Vec<Value>, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::AliasFile { path: path.to_owned(), source })?;
    text.lines()
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
fn read(path: &Path) -> Result<Value, ConfigError> {
    let text = fs::read(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    serde_json::from_slice(&text).map_err(|source| ConfigError::Json { path: path.to_owned(), source })
}

/// Makes a path absolute, from the directory the process was started in. `~` is the home directory, as in wptserve.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, ConfigError> {
    std::path::absolute(home(path)).map_err(|source| ConfigError::Absolute { path: path.to_owned(), source })
}

fn home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}
