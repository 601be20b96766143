//! The kind of value that every key of the configuration may hold, whether or not this start uses the key.
//!
//! wptserve looks at a value only when it needs the value, and takes `"false"` as true. This server refuses a value of the wrong
//! kind at the start, with its key and the right form.

use serde_json::{Map, Value};

use super::errors::{ConfigError, did_you_mean};

pub(super) const TEXT: &str = "a text in quotes";
pub(super) const NAME: &str = "the name of a host or an address, in quotes";
pub(super) const PATHS: &str = "a list of paths, such as [\"handlers\"], or null";
pub(super) const TIME_LIMIT: &str = "a number of seconds, or 0 or null for no limit";
const TEXT_OR_NULL: &str = "a text in quotes, or null";
const NAME_OR_NULL: &str = "the name of a host or an address, in quotes, or null";
const TRUTH: &str = "true or false";
const DAYS: &str = "a number of days";
const LIMIT: &str = "a whole number from 1 to 4294967295, or null for no limit";
const SECONDS: &str = "a whole number of seconds up to 4294967295";
const ALIASES: &str = "a list of aliases";
const ALIAS: &str = "an object";

/// A key, the right form of its values, and whether a value has it.
type Row = (&'static str, &'static str, fn(&Value) -> bool);

/// `ports`, `ssl`, `alternate_hosts` and `logging` are not listed: their defaults are objects, and merging keeps them objects.
/// `ports` has readers of its own, and so have the keys that allow only certain words.
const KEYS: [Row; 21] = [
    ("browser_host", NAME, is_name),
    ("server_host", NAME_OR_NULL, |value| value.is_null() || is_name(value)),
    ("doc_root", TEXT, Value::is_string),
    ("ws_doc_root", TEXT_OR_NULL, is_text_or_null),
    ("ws_extra", PATHS, is_paths),
    ("check_subdomains", TRUTH, is_truth),
    ("bind_address", TRUTH, is_truth),
    ("logging.suppress_handler_traceback", TRUTH, is_truth),
    ("ssl.encrypt_after_connect", TRUTH, is_truth),
    ("ssl.pregenerated.host_key_path", TEXT_OR_NULL, is_text_or_null),
    ("ssl.pregenerated.host_cert_path", TEXT_OR_NULL, is_text_or_null),
    ("ssl.pregenerated.mint", TRUTH, is_truth),
    ("ssl.openssl.openssl_binary", TEXT_OR_NULL, is_text_or_null),
    ("ssl.openssl.base_path", TEXT_OR_NULL, is_text_or_null),
    ("ssl.openssl.base_conf_path", TEXT_OR_NULL, is_text_or_null),
    ("ssl.openssl.password", TEXT_OR_NULL, is_text_or_null),
    ("ssl.openssl.force_regenerate", TRUTH, is_truth),
    ("ssl.openssl.duration", DAYS, Value::is_u64),
    ("supervisor.heartbeat_limit", LIMIT, is_limit),
    ("supervisor.memory_limit", LIMIT, is_limit),
    ("supervisor.grace", SECONDS, is_count),
];

/// Checks the merged configuration, and adds warnings about doubtful values to `warnings`.
///
/// # Errors
/// A value is of another kind than its key's; an alias lacks a key.
pub(crate) fn check(data: &Map<String, Value>, warnings: &mut Vec<String>) -> Result<(), ConfigError> {
    for (key, expected, fits) in KEYS {
        let mut parts = key.split('.');
        let first = parts.next().and_then(|part| data.get(part));
        // A key that is missing has no default in this profile.
        if let Some(value) = parts.fold(first, |value, part| value.and_then(|value| value.get(part)))
            && !fits(value)
        {
            return Err(ConfigError::kind(key, expected, value));
        }
    }
    match data.get("aliases") {
        None => Ok(()),
        Some(Value::Array(entries)) => {
            entries.iter().enumerate().try_for_each(|(index, entry)| alias(index, entry, warnings))
        }
        Some(other) => Err(ConfigError::kind("aliases", ALIASES, other)),
    }
}

fn is_name(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

fn is_text_or_null(value: &Value) -> bool {
    value.is_string() || value.is_null()
}

/// Besides `true` and `false`, 0, 1 and null count: their meaning is clear.
fn is_truth(value: &Value) -> bool {
    value.is_boolean() || value.is_null() || matches!(value.as_u64(), Some(0 | 1))
}

fn is_count(value: &Value) -> bool {
    value.as_u64().is_some_and(|number| u32::try_from(number).is_ok())
}

fn is_limit(value: &Value) -> bool {
    value.is_null() || value.as_u64() != Some(0) && is_count(value)
}

fn is_paths(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(|items| items.iter().all(Value::is_string))
}

fn alias(index: usize, entry: &Value, warnings: &mut Vec<String>) -> Result<(), ConfigError> {
    const WANTED: [&str; 2] = ["url-path", "local-dir"];
    let place = format!("aliases[{index}]");
    let Value::Object(keys) = entry else { return Err(ConfigError::kind(&place, ALIAS, entry)) };
    let unknown: Vec<&str> = keys.keys().map(String::as_str).filter(|key| !WANTED.contains(key)).collect();
    for key in WANTED {
        match keys.get(key) {
            Some(Value::String(_)) => {}
            Some(other) => return Err(ConfigError::kind(&format!("{place}.{key}"), TEXT, other)),
            None => {
                let misspelt = unknown.iter().find(|name| !did_you_mean(name, [key]).is_empty()).or(unknown.first());
                let meant =
                    misspelt.map(|name| format!(" but the unknown key \"{name}\"{}", did_you_mean(name, [key])));
                return Err(ConfigError::Alias { index, key, meant: meant.unwrap_or_default() });
            }
        }
    }
    for key in unknown {
        warnings.push(format!("{place}.{key} in config is not known and has no effect"));
    }
    Ok(())
}
