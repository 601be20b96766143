//! The checked configuration: the doc root of a [`Config`] can be read, and its ports are valid.
//!
//! The keys, their defaults, and the order in which files and flags override each other are those of `wpt serve`:
//! tools/serve/serve.py of 2026, `build_config`, and wptserve 4.0.3, config.py.

mod bounds;
pub(crate) mod defaults;
mod environment;
mod errors;
mod hosts;
pub(crate) mod kinds;
pub(crate) mod merge;
pub(crate) mod ports;
mod sources;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use log::LevelFilter;
use serde_json::{Map, Value};

pub use environment::CertificatePaths;
pub use errors::{BindError, ConfigError, StartupError};
pub use hosts::{Hosts, ascii};
pub use ports::{Numbers, SchemePorts, Service, Wanted, is_blocked};
pub use sources::{Dns, Flags, absolute, find_root};

use crate::{
    docroot::DocRoot,
    handover::{HandlerLimits, ImportPolicy},
    http::bounds::Bounds,
    supervisor, tls,
};

/// See the module.
#[derive(Debug, Clone)]
pub struct Config {
    /// The checkout.
    pub doc_root: DocRoot,
    /// The directory of the WebSocket handlers; absolute.
    pub ws_doc_root: PathBuf,
    /// More such directories; absolute.
    pub ws_extra: Vec<PathBuf>,
    /// The name or address to listen on.
    pub server_host: String,
    /// Whether to listen on `server_host` only, or on all interfaces.
    pub bind_address: bool,
    /// Whether all domains have to lead here before anything is served.
    pub check_subdomains: bool,
    /// Whether to bind the UDP port of WebTransport, although nothing is served there.
    pub webtransport: bool,
    /// The names that the DNS server knows; `None` without a DNS server.
    pub dns: Option<Dns>,
    /// The ports, in order.
    pub ports: Vec<SchemePorts>,
    /// Where the certificate comes from; `None` when nothing is encrypted.
    pub tls: Option<tls::Source>,
    /// Whether https ports wait for a CONNECT before they encrypt.
    pub encrypt_after_connect: bool,
    /// The names of all hosts.
    pub hosts: Hosts,
    /// The level of the log.
    pub log_level: LevelFilter,
    /// How long every HTTP answer waits.
    pub latency: Duration,
    /// The script for `--inject-script`: its file, and the bytes that are put into HTML.
    pub inject_script: Option<(PathBuf, Bytes)>,
    /// Whether imports that break the rules are allowed.
    pub import_policy: ImportPolicy,
    /// How long handlers may run.
    pub limits: HandlerLimits,
    /// When the process that serves is replaced.
    pub supervisor: supervisor::Settings,
    /// What clients may take.
    pub bounds: Bounds,
    /// Where to announce that every port answers; absolute.
    pub ready_file: Option<PathBuf>,
    /// Lines for the log about doubtful values with which the server starts nevertheless.
    pub warnings: Vec<String>,
    /// The whole configuration, as handlers see it.
    data: Map<String, Value>,
    /// Whether this is `wpt serve` or one plain port.
    profile: Profile,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Profile {
    Wpt,
    Plain,
}

impl Config {
    /// The configuration of `wpt serve`: defaults, then `config.json` in the checkout, then `--config`, then flags.
    ///
    /// # Errors
    /// A file cannot be read, a key is unknown, or a value is wrong.
    pub fn wpt(repo_root: &Path, flags: Flags) -> Result<Self, StartupError> {
        let (data, warnings) = sources::gather(repo_root, &flags)?;
        Self::checked(Profile::Wpt, repo_root, data, warnings, flags)
    }

    /// One http port with wptserve's own defaults.
    ///
    /// # Errors
    /// The doc root cannot be served, or the value of a flag is wrong.
    pub fn plain(doc_root: &Path, port: u16, flags: Flags) -> Result<Self, StartupError> {
        let doc_root = absolute(doc_root)?;
        let data = defaults::plain(&doc_root, flags.host.as_deref().unwrap_or("127.0.0.1"), port);
        Self::checked(Profile::Plain, &doc_root, data, Vec::new(), Flags { doc_root: Some(doc_root.clone()), ..flags })
    }

    fn reader(&self) -> Reader<'_> {
        Reader(&self.data)
    }

    fn checked(
        profile: Profile,
        root: &Path,
        mut data: Map<String, Value>,
        mut warnings: Vec<String>,
        flags: Flags,
    ) -> Result<Self, StartupError> {
        kinds::check(&data, &mut warnings)?;
        let read = Reader(&data);
        let doc_root = match &flags.doc_root {
            Some(path) => absolute(path)?,
            None => absolute(Path::new(read.text("doc_root")?))?,
        };
        let doc_root = DocRoot::new(&doc_root)?;
        let inject_script = match flags.inject_script {
            Some(path) => Some((path.clone(), sources::read(path)?.into())),
            None => None,
        };
        let ws_doc_root = match (&flags.ws_doc_root, data.get("ws_doc_root")) {
            (Some(path), _) => sources::existing("WebSockets document root", path)?,
            (None, None | Some(Value::Null)) => doc_root.path().join("websockets").join("handlers"),
            (None, Some(_)) => absolute(Path::new(read.text("ws_doc_root")?))?,
        };
        let ws_extra = match flags.ws_extra.as_slice() {
            [] => read.paths("ws_extra")?,
            extra => extra
                .iter()
                .map(|path| sources::existing("Extra WebSockets handlers", path))
                .collect::<Result<_, _>>()?,
        };
        let browser_host = read.text("browser_host")?;
        let alternates = read.alternates()?;
        let hosts = match profile {
            Profile::Wpt => Hosts::wpt(browser_host, alternates),
            Profile::Plain => Hosts::plain(browser_host, alternates),
        };
        if let Some((name, host)) = hosts.not_distinct() {
            warnings.push(format!(
                "alternate_hosts.{name} ({host}) should be distinct from browser_host ({}): neither may be the end of the \
                 other",
                hosts.browser()
            ));
        }
        let server_host = match (flags.host, data.get("server_host")) {
            (Some(host), _) => host,
            (None, None | Some(Value::Null)) => browser_host.to_owned(),
            (None, Some(_)) => read.text("server_host")?.to_owned(),
        };
        let tls = read.tls()?;
        let wanted = |service: Service| match service {
            Service::Dns => flags.dns.is_some(),
            service => tls.is_some() || !service.is_encrypted(),
        };
        let ports = ports::read(data.get("ports").unwrap_or(&Value::Null), wanted)?;
        ports::check(&ports)?;
        if ports.iter().any(|scheme| scheme.service == Service::Http3 && scheme.is_wanted()) {
            warnings.push(
                "HTTP/3 is not served: the ports of ports.h3 are only bound, and tests that need HTTP/3 fail"
                    .to_owned(),
            );
        }
        let log_level = match profile {
            _ if flags.verbose => LevelFilter::Debug,
            Profile::Wpt => read.log_level()?,
            Profile::Plain => LevelFilter::Info,
        };
        let import_policy = match flags.import_policy {
            Some(policy) => policy,
            None => read.import_policy()?.unwrap_or_else(|| {
                let is_checkout = sources::is_checkout(root) || sources::is_checkout(doc_root.path());
                if is_checkout { ImportPolicy::Warn } else { ImportPolicy::Strict }
            }),
        };
        let supervisor = read.supervisor();
        let bounds = bounds::read(read.value("bounds"))?;
        let limits = HandlerLimits {
            handler_timeout: match flags.handler_timeout {
                Some(time) => (!time.is_zero()).then_some(time),
                None => read.seconds("handler_timeout")?,
            },
            client_gone_grace: read.seconds("client_gone_grace")?,
            handler_kill: read.seconds("handler_kill")?.unwrap_or(Duration::MAX),
        };
        let bind_address = read.truth("bind_address");
        let encrypt_after_connect = read.truth("ssl.encrypt_after_connect");
        // The system's resolver does not ask our own DNS server unless it is told to.
        let check_subdomains = profile == Profile::Wpt && flags.dns.is_none() && read.truth("check_subdomains");
        // Handlers see wptserve's keys only.
        for key in ["import_policy", "supervisor", "bounds", "handler_timeout", "client_gone_grace", "handler_kill"] {
            data.shift_remove(key);
        }
        if let Some(Value::Object(files)) = data.get_mut("ssl").and_then(|ssl| ssl.get_mut("pregenerated")) {
            files.shift_remove("mint");
        }
        Ok(Self {
            doc_root,
            ws_doc_root,
            ws_extra,
            server_host,
            bind_address,
            check_subdomains,
            ports,
            encrypt_after_connect,
            tls,
            hosts,
            log_level,
            webtransport: flags.webtransport,
            dns: flags.dns,
            latency: flags.latency,
            inject_script,
            import_policy,
            limits,
            supervisor,
            bounds,
            ready_file: flags.ready_file.as_deref().map(absolute).transpose()?,
            warnings,
            data,
            profile,
        })
    }
}

/// Typed access to the merged keys.
struct Reader<'a>(&'a Map<String, Value>);

impl<'a> Reader<'a> {
    fn value(&self, key: &str) -> &'a Value {
        key.split('.')
            .try_fold(None, |at: Option<&'a Value>, part| {
                Some(Some(match at {
                    None => self.0.get(part)?,
                    Some(value) => value.get(part)?,
                }))
            })
            .flatten()
            .unwrap_or(&Value::Null)
    }

    fn text(&self, key: &str) -> Result<&'a str, ConfigError> {
        let value = self.value(key);
        value.as_str().ok_or_else(|| ConfigError::kind(key, kinds::TEXT, value))
    }

    /// Whether Python takes the value as true: a configuration may have 0 or null for false.
    fn truth(&self, key: &str) -> bool {
        match self.value(key) {
            Value::Null => false,
            Value::Bool(value) => *value,
            Value::Number(number) => number.as_f64() != Some(0.0),
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(items) => !items.is_empty(),
        }
    }

    /// A time in seconds, `None` for null and 0.
    fn seconds(&self, key: &str) -> Result<Option<Duration>, ConfigError> {
        let value = self.value(key);
        if value.is_null() {
            return Ok(None);
        }
        let time = value.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let time = time.ok_or_else(|| ConfigError::kind(key, kinds::TIME_LIMIT, value))?;
        Ok(Some(time).filter(|time| !time.is_zero()))
    }

    /// A list of paths, made absolute; `null` is an empty list.
    fn paths(&self, key: &str) -> Result<Vec<PathBuf>, ConfigError> {
        let wrong = || ConfigError::kind(key, kinds::PATHS, self.value(key));
        match self.value(key) {
            Value::Null => Ok(Vec::new()),
            Value::Array(items) => {
                items.iter().map(|item| absolute(Path::new(item.as_str().ok_or_else(wrong)?))).collect()
            }
            _ => Err(wrong()),
        }
    }

    fn alternates(&self) -> Result<Vec<(String, String)>, ConfigError> {
        let Value::Object(hosts) = self.value("alternate_hosts") else { return Ok(Vec::new()) };
        hosts
            .iter()
            .map(|(name, host)| match host.as_str() {
                Some(host) => Ok((name.clone(), host.to_owned())),
                None => Err(ConfigError::kind(&format!("alternate_hosts.{name}"), kinds::NAME, host)),
            })
            .collect()
    }

    fn tls(&self) -> Result<Option<tls::Source>, ConfigError> {
        match self.text("ssl.type")? {
            "none" => Ok(None),
            "pregenerated" => Ok(Some(tls::Source::Pregenerated {
                key: absolute(Path::new(self.text("ssl.pregenerated.host_key_path")?))?,
                cert: absolute(Path::new(self.text("ssl.pregenerated.host_cert_path")?))?,
                ca_cert: None,
                mint: match self.truth("ssl.pregenerated.mint") {
                    true => Some(self.text("ssl.openssl.password")?.to_owned()),
                    false => None,
                },
            })),
            "openssl" => {
                let duration = self.value("ssl.openssl.duration");
                Ok(Some(tls::Source::OpenSsl {
                    base_path: match self.value("ssl.openssl.base_path") {
                        Value::Null => None,
                        _ => Some(absolute(Path::new(self.text("ssl.openssl.base_path")?))?),
                    },
                    password: self.text("ssl.openssl.password")?.to_owned(),
                    force_regenerate: self.truth("ssl.openssl.force_regenerate"),
                    duration: duration
                        .as_u64()
                        .and_then(|days| days.try_into().ok())
                        .ok_or_else(|| ConfigError::kind("ssl.openssl.duration", "a number of days", duration))?,
                }))
            }
            other => Err(ConfigError::SslType(other.to_owned())),
        }
    }

    /// The names of Python's levels.
    fn log_level(&self) -> Result<LevelFilter, ConfigError> {
        let name = self.text("logging.level")?;
        match name.to_uppercase().as_str() {
            "NOTSET" | "DEBUG" => Ok(LevelFilter::Debug),
            "INFO" => Ok(LevelFilter::Info),
            "WARNING" | "WARN" => Ok(LevelFilter::Warn),
            "ERROR" | "CRITICAL" | "FATAL" => Ok(LevelFilter::Error),
            _ => Err(ConfigError::kind(
                "logging.level",
                "debug, info, warning, error or critical",
                self.value("logging.level"),
            )),
        }
    }

    fn supervisor(&self) -> supervisor::Settings {
        let number = |key| self.value(key).as_u64();
        supervisor::Settings {
            heartbeat: number("supervisor.heartbeat_limit").map(Duration::from_secs),
            memory: number("supervisor.memory_limit").map(|mebibytes| mebibytes << 20),
            grace: Duration::from_secs(number("supervisor.grace").unwrap_or_default()),
        }
    }

    /// `None` when the key is null: the kind of the directory decides.
    fn import_policy(&self) -> Result<Option<ImportPolicy>, ConfigError> {
        match self.value("import_policy") {
            Value::Null => Ok(None),
            Value::String(policy) if policy == "strict" => Ok(Some(ImportPolicy::Strict)),
            Value::String(policy) if policy == "warn" => Ok(Some(ImportPolicy::Warn)),
            other => Err(ConfigError::kind("import_policy", "\"strict\", \"warn\" or null", other)),
        }
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
