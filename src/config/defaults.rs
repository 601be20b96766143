//! The keys of the configuration and their defaults.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{
    bounds,
    hosts::{ALTERNATE, BROWSER_HOST},
};
use crate::{supervisor::Settings, tls::DEFAULT_PASSWORD};

/// Seconds that a handler may run on after its client has disconnected. The longest pause that a handler of the 2026 checkout makes by
/// itself is 10 seconds.
const CLIENT_GONE_GRACE: u32 = 60;
/// Seconds that a handler may take to end after it has been told to.
const HANDLER_KILL: u32 = 30;

/// `wpt serve`: tools/serve/serve.py of 2026, `ConfigBuilder._default`, and keys of our own: `import_policy`,
/// `bounds`, `ssl.pregenerated.mint`, `supervisor`, and how long handlers may run.
pub(crate) fn wpt(repo_root: &Path, h2: bool) -> Map<String, Value> {
    let path = |parts: &[&str]| {
        let mut path = repo_root.to_owned();
        path.extend(parts);
        path.to_string_lossy().into_owned()
    };
    let mut ports = json!({
        "http": [8000, "auto"],
        "http-local": ["auto"],
        "http-public": ["auto"],
        "https": [8443, 8444],
        "https-local": ["auto"],
        "https-public": ["auto"],
        "ws": ["auto"],
        "wss": ["auto"],
        "webtransport-h3": ["auto"],
        // Handlers do not see an empty list, so they see `h3` only when it is configured.
        "h3": [],
        "dns": [8053],
    });
    if h2 && let Value::Object(ports) = &mut ports {
        ports.insert("h2".to_owned(), json!([9000]));
    }
    object(json!({
        "browser_host": BROWSER_HOST,
        "alternate_hosts": {ALTERNATE.0: ALTERNATE.1},
        "doc_root": path(&[]),
        "ws_doc_root": path(&["websockets", "handlers"]),
        "ws_extra": null,
        "server_host": null,
        "ports": ports,
        "check_subdomains": true,
        "bind_address": true,
        "ssl": {
            "type": "pregenerated",
            "encrypt_after_connect": false,
            "openssl": openssl(),
            "pregenerated": {
                "host_key_path": path(&["tools", "certs", "web-platform.test.key"]),
                "host_cert_path": path(&["tools", "certs", "web-platform.test.pem"]),
                "mint": true,
            },
            "none": {},
        },
        "aliases": [],
        "logging": {"level": "info", "suppress_handler_traceback": false},
        "import_policy": null,
        "supervisor": supervisor(),
        "bounds": bounds::defaults(),
        "handler_timeout": null,
        "client_gone_grace": CLIENT_GONE_GRACE,
        "handler_kill": HANDLER_KILL,
    }))
}

/// One http port: wptserve 4.0.3, config.py, `ConfigBuilder._default`.
pub(super) fn plain(doc_root: &Path, host: &str, port: u16) -> Map<String, Value> {
    object(json!({
        "browser_host": host,
        "alternate_hosts": {},
        "doc_root": doc_root.to_string_lossy(),
        "server_host": null,
        "ports": {"http": [port]},
        "check_subdomains": true,
        "bind_address": true,
        "ssl": {
            "type": "none",
            "encrypt_after_connect": false,
            "none": {},
            "openssl": openssl(),
            "pregenerated": {"host_key_path": null, "host_cert_path": null, "mint": true},
        },
        "aliases": [],
        "logging": {"level": "debug", "suppress_handler_traceback": false},
        "import_policy": null,
        "supervisor": supervisor(),
        "bounds": bounds::defaults(),
        "handler_timeout": null,
        "client_gone_grace": CLIENT_GONE_GRACE,
        "handler_kill": HANDLER_KILL,
    }))
}

/// Seconds, MiB, seconds.
fn supervisor() -> Value {
    let Settings { heartbeat, memory, grace } = Settings::default();
    json!({
        "heartbeat_limit": heartbeat.map(|limit| limit.as_secs()),
        "memory_limit": memory.map(|bytes| bytes >> 20),
        "grace": grace.as_secs(),
    })
}

fn openssl() -> Value {
    json!({
        "openssl_binary": "openssl",
        "base_path": "_certs",
        "password": DEFAULT_PASSWORD,
        "force_regenerate": false,
        "duration": 30,
        "base_conf_path": null,
    })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
