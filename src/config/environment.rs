//! The configuration that handlers and templates see: `request.server.config` with the keys of wptserve 4.0.3, config.py,
//! and of `wpt serve`.

use std::{path::Path, sync::Arc};

use serde_json::{Map, Value, json};

use super::{Config, Numbers, Profile, merge::RENAMED_SCHEMES};
use crate::{handover::Environment, route::Alias, stash::Local, tls::Identity};

/// The files of the certificate, for handlers.
#[derive(Debug, Clone, Copy)]
pub struct CertificatePaths<'a> {
    pub(super) key: &'a Path,
    pub(super) cert: &'a Path,
    pub(super) ca_cert: Option<&'a Path>,
}

impl<'a> From<&'a Identity> for CertificatePaths<'a> {
    fn from(identity: &'a Identity) -> Self {
        Self { key: &identity.key_path, cert: &identity.cert_path, ca_cert: identity.ca_cert_path.as_deref() }
    }
}

impl Config {
    /// The entries of `aliases`, for the router. Their directories are relative to the current one, so call this before the
    /// working directory changes.
    pub fn aliases(&self) -> Vec<Alias> {
        let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let entries = self.data.get("aliases").and_then(Value::as_array).into_iter().flatten();
        entries
            .map(|entry| {
                let local_dir = text(entry, "local-dir");
                // An empty path must not become the current directory: the router refuses an empty path.
                let local_dir = std::path::absolute(&local_dir).unwrap_or_else(|_| local_dir.into());
                Alias { url_path: text(entry, "url-path"), local_dir }
            })
            .collect()
    }

    /// The configuration for handlers, once the ports have their numbers and the certificate is there.
    pub fn environment(&self, ports: &Numbers, certificate: Option<CertificatePaths<'_>>) -> Environment {
        let doc_root = self.doc_root.path().to_string_lossy().into_owned();
        let mut config = self.data.clone();
        let mut set = |key: &str, value: Value| config.insert(key.to_owned(), value);
        set("doc_root", json!(doc_root));
        let mut paths = json!({"doc_root": doc_root});
        if self.profile == Profile::Wpt {
            let ws_doc_root = shown(&self.ws_doc_root);
            let ws_extra = match self.ws_extra.as_slice() {
                [] => Value::Null,
                extra => extra.iter().map(|path| shown(path)).collect(),
            };
            set("ws_doc_root", ws_doc_root.clone());
            set("ws_extra", ws_extra.clone());
            paths = json!({"doc_root": doc_root, "ws_doc_root": ws_doc_root, "ws_extra": ws_extra});
        }
        set("server_host", json!(self.server_host));
        set("ports", port_table(ports).into());
        set("subdomains", json!(self.hosts.subdomains()));
        set("not_subdomains", json!(self.hosts.not_subdomains()));
        if self.profile == Profile::Wpt {
            set("inject_script", self.inject_script.as_ref().map_or(Value::Null, |(path, _)| shown(path)));
        }
        set("paths", paths);
        set("domains", self.hosts.domains().into());
        set("not_domains", self.hosts.not_domains().into());
        set("all_domains", self.hosts.all_domains().into());
        let (domains, not_domains) = (self.hosts.domains_set(), self.hosts.not_domains_set());
        set("domains_set", json!(domains));
        set("not_domains_set", json!(not_domains));
        set("all_domains_set", domains.into_iter().chain(not_domains).collect());
        let encrypt_after_connect = self.reader().value("ssl.encrypt_after_connect").clone();
        set(
            "ssl_config",
            certificate.map_or(Value::Null, |certificate| {
                json!({
                    "key_path": shown(certificate.key),
                    "ca_cert_path": certificate.ca_cert.map_or(Value::Null, shown),
                    "cert_path": shown(certificate.cert),
                    "encrypt_after_connect": encrypt_after_connect,
                })
            }),
        );
        if let Some(level) = config.get_mut("logging").and_then(|logging| logging.get_mut("level"))
            && let Some(name) = level.as_str()
        {
            *level = json!(name.to_uppercase());
        }
        Environment { config: config.into(), stash: Arc::new(Local::default()) }
    }
}

/// `ports`, with the former names of schemes beside today's. A scheme with an empty list is left out, as in wptserve.
fn port_table(ports: &Numbers) -> Map<String, Value> {
    let mut table: Map<String, Value> = ports
        .iter()
        .filter(|(_, numbers)| !numbers.is_empty())
        .map(|(name, numbers)| (name.clone(), json!(numbers)))
        .collect();
    for (name, today) in RENAMED_SCHEMES {
        if let Some(numbers) = table.get(today).cloned() {
            table.insert(name.to_owned(), numbers);
        }
    }
    table
}

fn shown(path: &Path) -> Value {
    path.to_string_lossy().into()
}
