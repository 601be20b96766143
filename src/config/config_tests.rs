//! The configuration, compared with the one that `wpt serve`'s own code makes of the same input, and with bad input.

use std::{fs, path::Path, time::Duration};

use serde_json::json;
use tempfile::TempDir;

use super::*;

fn flags() -> Flags {
    Flags {
        config: None,
        doc_root: None,
        ws_doc_root: None,
        ws_extra: Vec::new(),
        alias_file: None,
        inject_script: None,
        latency: Duration::ZERO,
        handler_timeout: None,
        h2: true,
        webtransport: false,
        dns: None,
        verbose: false,
        host: None,
        import_policy: None,
        ready_file: None,
    }
}

/// A checkout with this `config.json`, and another file of configuration beside it.
fn load(root: &Path, own: &Value, given: &Value, mut flags: Flags) -> Result<Config, StartupError> {
    for (name, value) in [("config.json", own), ("given.json", given)] {
        if !value.is_null() {
            fs::write(root.join(name), value.to_string()).unwrap();
        }
    }
    if !given.is_null() {
        flags.config = Some(root.join("given.json"));
    }
    Config::wpt(root, flags)
}

fn given(config: Value) -> Result<Config, String> {
    let root = TempDir::new().unwrap();
    load(root.path(), &Value::Null, &config, flags()).map_err(|error| error.to_string())
}

/// The ports, with 1 for every automatic one.
fn numbers(config: &Config) -> Numbers {
    let number = |wanted: &Wanted| match wanted {
        Wanted::Skip => None,
        Wanted::Auto => Some(1),
        Wanted::Number(port) => Some(*port),
    };
    config.ports.iter().map(|scheme| (scheme.name.clone(), scheme.wanted.iter().map(number).collect())).collect()
}

fn certificate(config: &Config) -> Option<CertificatePaths<'_>> {
    match config.tls.as_ref()? {
        tls::Source::Pregenerated { key, cert, .. } => Some(CertificatePaths { key, cert, ca_cert: None }),
        other => panic!("{other:?}"),
    }
}

/// What handlers would see, with sets in the order of the table.
fn seen(config: &Config) -> Map<String, Value> {
    let Value::Object(mut seen) = config.environment(&numbers(config), certificate(config)).config else {
        panic!("an object")
    };
    for set in ["subdomains", "not_subdomains", "domains_set", "not_domains_set", "all_domains_set"] {
        seen[set].as_array_mut().unwrap().sort_by_key(|name| name.as_str().unwrap().to_owned());
    }
    for former in ["http-private", "https-private"] {
        seen["ports"].as_object_mut().unwrap().shift_remove(former).unwrap();
    }
    seen
}

/// tests/differential/config_table.py has recorded the table.
#[test]
fn as_wpt_serve_configures_itself() {
    let table: Vec<Value> = serde_json::from_str(include_str!("tables/serve.json")).unwrap();
    let mut base = None;
    for case in &table {
        let root = TempDir::new().unwrap();
        let place = root.path().canonicalize().unwrap();
        let flags = Flags { h2: case["flags"]["h2"] != false, verbose: case["flags"]["verbose"] == true, ..flags() };
        let loaded = load(&place, &case["own"], &case["config"], flags);
        if let Some(raised) = case["raises"].as_str() {
            let error = loaded.unwrap_err().to_string();
            let (kind, text) = raised.split_once(": ").unwrap();
            // A TypeError says nothing about the cause; ours names the key.
            assert!(kind == "TypeError" || error.contains(text), "{case}: {error}");
            continue;
        }
        if case["config"] == json!([]) {
            // Python finds no key in it.
            assert!(loaded.unwrap_err().to_string().contains("must be an object, not []"));
            continue;
        }
        if case["config"]["logging"].is_string() {
            // Python looks for "level" in the text, finds none, and goes on.
            assert!(loaded.unwrap_err().to_string().contains("logging must be an object"));
            continue;
        }
        let seen = seen(&loaded.unwrap());
        let differs = case["differs"].to_string().replace("@ROOT@", place.to_str().unwrap());
        let Value::Object(differs) = serde_json::from_str(&differs).unwrap() else { panic!("{case}") };
        let base = base.get_or_insert_with(|| (differs.clone(), place.to_str().unwrap().to_owned()));
        let unchanged = Value::from(base.0.clone()).to_string().replace(&base.1, place.to_str().unwrap());
        let Value::Object(mut expected) = serde_json::from_str(&unchanged).unwrap() else { panic!("{case}") };
        let hosts_changed = differs.contains_key("browser_host") || differs.contains_key("alternate_hosts");
        for (key, value) in &differs {
            expected.insert(key.clone(), value.clone());
        }
        for (key, value) in &expected {
            // Only some cases have these tables recorded.
            let left_out = hosts_changed && key.contains("domains") && !differs.contains_key(key);
            assert!(left_out || seen.get(key) == Some(value), "{case}\n{key}: {:?}\nnot {value}", seen.get(key));
        }
        assert_eq!(seen.len(), expected.len(), "{case}");
        if let Some(keys) = case.get("keys") {
            assert_eq!(json!(seen.keys().collect::<Vec<_>>()), *keys, "the order of the keys");
        }
        let Value::Object(ports) = &expected["ports"] else { panic!("{case}") };
        let order: Vec<&String> = seen["ports"].as_object().unwrap().keys().collect();
        assert_eq!(order, ports.keys().collect::<Vec<_>>(), "the order of the schemes");
    }
}

#[test]
fn values_that_make_no_sense_are_refused() {
    for (config, part) in [
        (json!({"browser_host": 1}), "browser_host must be the name of a host or an address, in quotes, not 1"),
        (
            json!({"server_host": []}),
            "server_host must be the name of a host or an address, in quotes, or null, not []",
        ),
        (
            json!({"alternate_hosts": {"alt": null}}),
            "alternate_hosts.alt must be the name of a host or an address, in quotes, not null",
        ),
        (json!({"doc_root": "/nonexistent/place"}), "cannot use /nonexistent/place as the doc root"),
        (json!({"doc_root": 3}), "doc_root must be a text in quotes, not 3"),
        (
            json!({"logging": {"level": "loud"}}),
            "logging.level must be debug, info, warning, error or critical, not \"loud\"",
        ),
        (
            json!({"ssl": {"pregenerated": {"host_key_path": null}}}),
            "ssl.pregenerated.host_key_path must be a text in quotes, not null",
        ),
        (json!({"ws_extra": "x"}), "ws_extra must be a list of paths, such as [\"handlers\"], or null, not \"x\""),
        (json!({"import_policy": "lax"}), "import_policy must be \"strict\", \"warn\" or null, not \"lax\""),
        (json!({"ports": {"http": [8000, 9000]}}), "port 9000 is configured twice, for http and for h2"),
        (json!({"ports": {"http": [65536]}}), "65536 in ports.http is not a port"),
        (json!("text"), "given.json: the configuration must be an object, not \"text\""),
        (json!([]), "given.json: the configuration must be an object, not []"),
        (json!({"ssl": 1}), "given.json: ssl must be an object, not 1"),
        (json!({"check_subdomain": true}), "given.json: KeyError: \"unknown config override 'check_subdomain'\""),
    ] {
        let error = given(config.clone()).unwrap_err();
        assert!(error.contains(part), "{config}: {error}");
    }
}

#[test]
fn files_that_are_none_are_refused() {
    let root = TempDir::new().unwrap();
    let refusal = |flags| Config::wpt(root.path(), flags).unwrap_err().to_string();
    let path = |name: &str| Some(root.path().join(name));
    fs::write(root.path().join("half.json"), "{\"ports\": ").unwrap();
    fs::write(root.path().join("aliases"), "/a/, /b\n\n/c/\n").unwrap();
    let config = |name| Flags { config: path(name), ..flags() };
    assert!(refusal(config("missing.json")).contains("missing.json: No such file"));
    assert!(refusal(config("half.json")).contains("half.json is not valid JSON: EOF while parsing a value at line 1"));
    assert!(refusal(config("")).contains("Is a directory"));
    let aliases = |name| Flags { alias_file: path(name), ..flags() };
    assert!(refusal(aliases("aliases")).contains("line 3 of the alias file"));
    assert!(refusal(aliases("missing")).contains("missing: No such file"));
    let missing = Flags { ws_extra: path("missing").into_iter().collect(), ..flags() };
    assert!(refusal(missing).contains("Extra WebSockets handlers path"));
}

#[test]
fn flags_come_last() {
    let root = TempDir::new().unwrap();
    let (other, aliases) = (TempDir::new().unwrap(), root.path().join("aliases"));
    fs::write(&aliases, "/x/, /y\n /z/ ,/w \n").unwrap();
    let config = json!({
        "doc_root": "/", "ws_doc_root": "/", "server_host": "1.1.1.1", "import_policy": "strict",
        "aliases": [{"url-path": "/a/", "local-dir": "/b"}],
    });
    let flags = Flags {
        doc_root: Some(other.path().to_owned()),
        ws_doc_root: Some(root.path().to_owned()),
        host: Some("127.0.0.1".to_owned()),
        import_policy: Some(ImportPolicy::Warn),
        alias_file: Some(aliases),
        verbose: true,
        ..flags()
    };
    let loaded = load(root.path(), &Value::Null, &config, flags).unwrap();
    assert_eq!(loaded.doc_root.path(), other.path());
    assert_eq!((loaded.server_host.as_str(), loaded.import_policy), ("127.0.0.1", ImportPolicy::Warn));
    assert_eq!((loaded.log_level, loaded.ws_doc_root.as_path()), (LevelFilter::Debug, root.path()));
    let seen = seen(&loaded);
    assert_eq!(seen["server_host"], "127.0.0.1");
    assert_eq!(seen["paths"]["doc_root"], other.path().to_str().unwrap());
    assert_eq!(seen["logging"]["level"], "DEBUG");
    assert!(!seen.contains_key("import_policy"));
    assert_eq!(
        seen["aliases"],
        json!([
            {"url-path": "/a/", "local-dir": "/b"},
            {"url-path": "/x/", "local-dir": "/y"},
            {"url-path": "/z/", "local-dir": "/w"},
        ])
    );
}

#[test]
fn without_a_certificate_only_plain_schemes_are_there() {
    let loaded = given(json!({"ssl": {"type": "none"}})).unwrap();
    let names: Vec<&str> = loaded.ports.iter().map(|scheme| scheme.name.as_str()).collect();
    assert_eq!(names, ["http", "http-local", "http-public", "ws"]);
    assert_eq!(loaded.environment(&numbers(&loaded), None).config["ssl_config"], Value::Null);
}

#[test]
fn former_names_are_synonyms() {
    let loaded = given(json!({"ports": {"http-private": [81], "https-private": [82]}})).unwrap();
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    let ports = &loaded.environment(&numbers(&loaded), None).config["ports"];
    for (name, port) in [("http-local", 81), ("http-private", 81), ("https-local", 82), ("https-private", 82)] {
        assert_eq!(ports[name], json!([port]), "{name}");
    }
}

#[test]
fn what_is_odd_is_warned_about() {
    for (config, warnings) in [
        (json!({}), &[][..]),
        (json!({"ssl": {"pregenerated": {"ca_cert_path": "x"}}}), &["ssl.pregenerated.ca_cert_path"]),
        (json!({"ports": {"http2": [8003]}}), &["ports.http2"]),
        (json!({"log_level": "debug"}), &["log_level"]),
        (
            json!({"alternate_hosts": {"alt": "alt.web-platform.test"}}),
            &["alternate_hosts.alt (alt.web-platform.test)"],
        ),
    ] {
        let loaded = given(config.clone()).unwrap();
        assert_eq!(loaded.warnings.len(), warnings.len(), "{config}: {:?}", loaded.warnings);
        for (warning, part) in loaded.warnings.iter().zip(warnings) {
            assert!(warning.contains(part), "{config}: {warning}");
        }
    }
    let quiet = load(
        TempDir::new().unwrap().path(),
        &Value::Null,
        &json!({"ports": {"h2": [1]}}),
        Flags { h2: false, ..flags() },
    );
    assert!(quiet.unwrap().warnings.is_empty());
}

#[test]
fn relative_paths_start_at_the_working_directory() {
    let loaded = given(json!({
        "doc_root": ".", "ws_doc_root": "ws", "ws_extra": ["more"],
        "ssl": {"pregenerated": {"host_key_path": "k", "host_cert_path": "/c"}},
    }))
    .unwrap();
    let here = std::env::current_dir().unwrap();
    assert_eq!(loaded.doc_root.path(), here);
    assert_eq!((&loaded.ws_doc_root, &loaded.ws_extra[0]), (&here.join("ws"), &here.join("more")));
    let certificate = certificate(&loaded).unwrap();
    assert_eq!((certificate.key, certificate.cert), (here.join("k").as_path(), Path::new("/c")));
    // Without the key: below the doc root.
    let root = TempDir::new().unwrap();
    let doc_root = json!({"doc_root": root.path().to_str().unwrap(), "ws_doc_root": null});
    assert_eq!(given(doc_root).unwrap().ws_doc_root, root.path().join("websockets/handlers"));
}
