//! `config.json`.

use std::path::Path;

use serde_json::{Map, Value};

use crate::{
    config::{defaults, kinds, merge, ports},
    input::Dice,
};

/// A JSON text, laid over the defaults.
///
/// * The base has the same keys afterwards, in the same order: unknown ones are dropped with a warning, or refused.
/// * Objects of the base stay objects.
/// * Laying the same text over it again changes nothing.
/// * Ports that are taken are checked.
pub fn merge(data: &[u8]) {
    let Ok(over) = serde_json::from_slice::<Value>(data) else { return };
    let base = defaults::wpt(Path::new("/srv/wpt"), true);
    let (mut merged, mut warnings) = (base.clone(), Vec::new());
    if merge::update(&mut merged, over.clone(), &mut warnings).is_err() {
        return;
    }
    same_keys(&base, &merged);
    let mut again = merged.clone();
    merge::update(&mut again, over, &mut Vec::new()).unwrap();
    assert_eq!(again, merged);
    if kinds::check(&merged, &mut warnings).is_ok()
        && let Ok(ports) = ports::read(&merged["ports"], |_| true)
    {
        let _ = ports::check(&ports);
    }
}

fn same_keys(base: &Map<String, Value>, merged: &Map<String, Value>) {
    assert!(base.keys().eq(merged.keys()));
    for (old, new) in base.values().zip(merged.values()) {
        if let Value::Object(old) = old {
            same_keys(old, new.as_object().unwrap());
        }
    }
}
