//! `bounds` in the configuration: the keys of [`Bounds`], each a number, or 0 or `null` for no bound.

use std::time::Duration;

use serde_json::{Map, Value};

use super::errors::ConfigError;
use crate::http::bounds::{Bounds, Limit};

const COUNT: &str = "a whole number, or 0 or null for no bound";
const SECONDS: &str = "a number of seconds, or 0 or null for no bound";
/// More than anybody waits, and few enough to be added to any moment: ten years.
const LONGEST: f64 = 315_360_000.0;

/// The section with its defaults, as the other keys of the configuration have theirs.
pub(super) fn defaults() -> Value {
    let mut bounds = Bounds::default();
    let keys = bounds.keys().into_iter().map(|(key, limit)| {
        let value = match limit {
            Limit::Count(count) => (*count).into(),
            Limit::Time(time) => time.map(|time| time.as_secs()).into(),
        };
        (key.to_owned(), value)
    });
    keys.collect::<Map<_, _>>().into()
}

/// Reads the section.
///
/// # Errors
/// A value is not a number, or less than 0.
pub(super) fn read(section: &Value) -> Result<Bounds, ConfigError> {
    let mut bounds = Bounds::default();
    for (key, limit) in bounds.keys() {
        let Some(value) = section.get(key) else { continue };
        let wrong = |expected| ConfigError::kind(&format!("bounds.{key}"), expected, value);
        match limit {
            Limit::Count(count) => {
                let number = if value.is_null() { Some(0) } else { value.as_u64() };
                *count = Some(number.ok_or_else(|| wrong(COUNT))?).filter(|number| *number > 0);
            }
            Limit::Time(time) => {
                let number = if value.is_null() { Some(0.0) } else { value.as_f64() };
                let number = number.filter(|number| (0.0..=LONGEST).contains(number)).ok_or_else(|| wrong(SECONDS))?;
                *time = Some(Duration::from_secs_f64(number)).filter(|time| !time.is_zero());
            }
        }
    }
    Ok(bounds)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_said_is_the_default() {
        assert_eq!(read(&defaults()).unwrap(), Bounds::default());
        assert_eq!(read(&json!({})).unwrap(), Bounds::default());
    }

    #[test]
    fn nothing_is_no_bound() {
        let bounds = read(&json!({"head_bytes": 0, "head_seconds": 0, "body_bytes": null, "idle_seconds": null,
            "connections": 5, "tls_seconds": 0.25}));
        let expected = Bounds {
            head_bytes: None,
            head_time: None,
            body_bytes: None,
            idle_time: None,
            connections: Some(5),
            tls_time: Some(Duration::from_millis(250)),
            ..Bounds::default()
        };
        assert_eq!(bounds.unwrap(), expected);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for (section, part) in [
            (
                json!({"head_bytes": "1M"}),
                "bounds.head_bytes must be a whole number, or 0 or null for no bound, not \"1M\"",
            ),
            (json!({"body_rate": 1.5}), "bounds.body_rate"),
            (json!({"connections": -1}), "bounds.connections"),
            (json!({"idle_seconds": -1}), "bounds.idle_seconds must be a number of seconds"),
            (json!({"idle_seconds": true}), "bounds.idle_seconds"),
            (json!({"idle_seconds": 1e300}), "bounds.idle_seconds"),
        ] {
            let error = read(&section).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    /// A number as the documentation writes it: `60`, `1 MiB`, `10,000`.
    fn documented(cell: &str) -> Option<f64> {
        let mut words = cell.split_whitespace();
        let number: f64 = words.next()?.replace(',', "").parse().ok()?;
        let unit = match words.next() {
            None => 1.0,
            Some("KiB") => 1024.0,
            Some("MiB") => 1024.0 * 1024.0,
            Some("GiB") => 1024.0 * 1024.0 * 1024.0,
            Some(_) => return None,
        };
        Some(number * unit)
    }

    #[test]
    fn the_table_of_the_documentation_has_these_keys_and_defaults() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/bounds.md");
        let page = fs::read_to_string(page).unwrap();
        let rows = page.lines().filter_map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let key = cells.get(1)?.strip_prefix("`bounds.")?.strip_suffix('`')?;
            Some((key.to_owned(), documented(cells[2]).unwrap_or_else(|| panic!("{line}"))))
        });
        let Value::Object(defaults) = defaults() else { panic!("an object") };
        let expected: Vec<(String, f64)> =
            defaults.into_iter().map(|(key, value)| (key, value.as_f64().unwrap())).collect();
        assert_eq!(rows.collect::<Vec<_>>(), expected);
    }
}
