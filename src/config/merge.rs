//! Laying one configuration over another, on the level of JSON.
//!
//! Follows wptserve 4.0.3, config.py, `ConfigBuilder.update` and `_merge_dict`: objects are merged key by key over the keys of the
//! base only, every other value replaces the earlier one. Where wptserve drops a key in silence, this code adds a warning.

use serde_json::{Map, Value};

use super::errors::{ConfigError, did_you_mean};

/// Top-level keys that older configurations use, and their names today.
const RENAMED: [(&str, &str); 4] = [
    ("host", "browser_host"),
    ("bind_hostname", "bind_address"),
    ("external_host", "server_host"),
    ("host_ip", "server_host"),
];
/// Schemes under `ports` that have had another name, and today's.
pub(super) const RENAMED_SCHEMES: [(&str, &str); 2] =
    [("http-private", "http-local"), ("https-private", "https-local")];

/// Merges `over` into `base`, and adds warnings about doubtful keys to `warnings`.
///
/// # Errors
/// `over` is not an object, has a key that the base does not have, or has another value where the base has an object.
pub(crate) fn update(
    base: &mut Map<String, Value>,
    over: Value,
    warnings: &mut Vec<String>,
) -> Result<(), ConfigError> {
    let mut over = match over {
        Value::Object(over) => over,
        other => return Err(ConfigError::kind("the configuration", "an object", &other)),
    };
    for (key, old) in base.iter_mut() {
        if let Some(value) = over.shift_remove(key) {
            set(key, old, value, warnings)?;
        }
    }
    for (name, today) in RENAMED {
        if let Some(value) = over.shift_remove(name) {
            warnings.push(format!("{name} in config is deprecated; use {today} instead"));
            if let Some(old) = base.get_mut(today) {
                set(today, old, value, warnings)?;
            }
        }
    }
    if let Some(level) = over.shift_remove("log_level") {
        warnings.push("log_level in config is deprecated; use logging.level instead".to_owned());
        if let Some(old) = base.get_mut("logging").and_then(|logging| logging.get_mut("level")) {
            *old = level;
        }
    }
    match over.into_iter().next() {
        Some((key, _)) => {
            let meant = did_you_mean(&key, base.keys().map(String::as_str));
            Err(ConfigError::UnknownKey { key, meant })
        }
        None => Ok(()),
    }
}

fn set(path: &str, old: &mut Value, value: Value, warnings: &mut Vec<String>) -> Result<(), ConfigError> {
    let Value::Object(base) = old else {
        *old = value;
        return Ok(());
    };
    let Value::Object(mut over) = value else {
        return Err(ConfigError::kind(path, "an object", &value));
    };
    if path == "ports" {
        for (name, today) in RENAMED_SCHEMES {
            if let Some(value) = over.shift_remove(name) {
                if over.contains_key(today) {
                    warnings.push(format!("ports has both {name} and {today}, which are the same: {name} is ignored"));
                } else {
                    over.insert(today.to_owned(), value);
                }
            }
        }
    }
    for (key, value) in over {
        let path = format!("{path}.{key}");
        match base.get_mut(&key) {
            Some(old) => set(&path, old, value, warnings)?,
            None => {
                let meant = did_you_mean(&key, base.keys().map(String::as_str));
                warnings.push(format!("{path} in config is not known and has no effect{meant}"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn updated(over: Value) -> Result<(Value, Vec<String>), String> {
        let Value::Object(mut base) = json!({
            "browser_host": "b", "server_host": null, "bind_address": true, "aliases": [],
            "ports": {"http": [1, 2], "http-local": ["auto"]}, "ssl": {"type": "t", "none": {}, "files": {"key": null}},
            "logging": {"level": "info"},
        }) else {
            unreachable!()
        };
        let mut warnings = Vec::new();
        update(&mut base, over, &mut warnings).map_err(|error| error.to_string())?;
        Ok((base.into(), warnings))
    }

    #[track_caller]
    fn check(over: Value, pointer: &str, expected: Value, warnings: &[&str]) {
        let (got, warned) = updated(over).unwrap();
        assert_eq!(
            (got.pointer(pointer), warned),
            (Some(&expected), warnings.iter().map(|w| (*w).to_owned()).collect())
        );
    }

    #[test]
    fn scalars_and_lists_replace_objects_merge() {
        check(json!({"browser_host": "c"}), "/browser_host", json!("c"), &[]);
        check(json!({"server_host": null}), "/server_host", json!(null), &[]);
        check(json!({"ports": {"http": [3]}}), "/ports", json!({"http": [3], "http-local": ["auto"]}), &[]);
        check(json!({"ssl": {"files": {"key": "k"}}}), "/ssl/files", json!({"key": "k"}), &[]);
    }

    #[test]
    fn unknown_nested_keys_are_dropped_with_a_warning() {
        check(
            json!({"ssl": {"files": {"ca": "c"}, "none": {"x": 1}}}),
            "/ssl/files",
            json!({"key": null}),
            &[
                "ssl.files.ca in config is not known and has no effect",
                "ssl.none.x in config is not known and has no effect",
            ],
        );
        check(
            json!({"ports": {"http2": [1]}}),
            "/ports",
            json!({"http": [1, 2], "http-local": ["auto"]}),
            &["ports.http2 in config is not known and has no effect; did you mean \"http\"?"],
        );
    }

    #[test]
    fn renamed_keys_are_taken_with_a_warning() {
        let renamed = "host in config is deprecated; use browser_host instead";
        check(json!({"host": "h"}), "/browser_host", json!("h"), &[renamed]);
        // wptserve takes the old name last, so it wins.
        check(json!({"host": "h", "browser_host": "b"}), "/browser_host", json!("h"), &[renamed]);
        let (got, warnings) = updated(json!({"bind_hostname": false, "external_host": "e", "host_ip": "i"})).unwrap();
        assert_eq!((&got["bind_address"], &got["server_host"], warnings.len()), (&json!(false), &json!("i"), 3));
        let warning = "log_level in config is deprecated; use logging.level instead";
        check(json!({"log_level": "debug"}), "/logging/level", json!("debug"), &[warning]);
    }

    #[test]
    fn schemes_have_synonyms() {
        check(json!({"ports": {"http-private": [7]}}), "/ports/http-local", json!([7]), &[]);
        check(
            json!({"ports": {"http-private": [7], "http-local": [8]}}),
            "/ports/http-local",
            json!([8]),
            &["ports has both http-private and http-local, which are the same: http-private is ignored"],
        );
    }

    #[test]
    fn what_cannot_be_merged_is_refused() {
        for (over, part) in [
            (json!({"x": 1, "a": 2}), "KeyError: \"unknown config override 'x'\"; take"),
            (json!({"brwoser_host": "x"}), "'brwoser_host'\"; did you mean \"browser_host\"?; take"),
            (json!([]), "the configuration must be an object, not []"),
            (json!({"ssl": null}), "ssl must be an object, not null"),
            (json!({"logging": "debug"}), "logging must be an object, not \"debug\""),
            (json!({"ssl": {"files": []}}), "ssl.files must be an object, not []"),
            (json!(1), "the configuration must be an object, not 1"),
            (json!([1]), "the configuration must be an object, not [1]"),
        ] {
            let error = updated(over.clone()).unwrap_err();
            assert!(error.contains(part), "{over}: {error}");
        }
    }
}
