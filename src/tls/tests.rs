//! Reading and making keys and certificates, and the handshakes that follow.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rcgen::{BasicConstraints, CertificateParams, GeneralSubtree, IsCa, Issuer, KeyPair, NameConstraints};
use rustls::{
    ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, ServerConnection, pki_types::CertificateDer,
};
use time::macros::datetime;

use super::{facts::Facts, *};

const WPT: &str = "web-platform.test";
/// The same key of a CA in several forms.
const CA_KEY: &str = include_str!("../../fixtures/tls/rsa.pkcs8.key");
const SEALED_AS_WPT: &str = include_str!("../../fixtures/tls/rsa.des3-sha1.key");
const SEALED_AS_OPENSSL_3: &str = include_str!("../../fixtures/tls/rsa.aes256-sha256.key");

fn names(hosts: &[&str]) -> Vec<String> {
    hosts.iter().map(|host| (*host).to_owned()).collect()
}

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// A folder as WPT's tools/certs: a CA that may sign for `permitted`, and a leaf.
struct Certs {
    folder: TempDir,
    key: PathBuf,
    cert: PathBuf,
}

impl Certs {
    fn new(permitted: &[&str], hosts: &[&str]) -> Self {
        Self::with_dates(permitted, hosts, now() - Duration::days(1), now() + Duration::days(300))
    }

    /// CA and leaf begin and end together, as WPT's and undici's do.
    fn with_dates(permitted: &[&str], hosts: &[&str], begins: OffsetDateTime, ends: OffsetDateTime) -> Self {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, "the CA of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        (params.not_before, params.not_after) = (begins, ends);
        params.name_constraints = (!permitted.is_empty()).then(|| NameConstraints {
            permitted_subtrees: permitted.iter().map(|name| GeneralSubtree::DnsName((*name).to_owned())).collect(),
            excluded_subtrees: Vec::new(),
        });
        let ca_key = KeyPair::from_pem(CA_KEY).unwrap();
        fs::write(path("cacert.pem"), params.self_signed(&ca_key).unwrap().pem()).unwrap();
        fs::write(path("cacert.key"), SEALED_AS_WPT).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut leaf = CertificateParams::new(names(hosts)).unwrap();
        (leaf.not_before, leaf.not_after) = (begins, ends);
        let leaf = leaf.signed_by(&key, &Issuer::new(params, ca_key)).unwrap();
        fs::write(path("host.key"), key.serialize_pem()).unwrap();
        // wptserve's files begin with the certificate in words.
        fs::write(path("host.pem"), format!("Certificate:\n    Data:\n{}", leaf.pem())).unwrap();
        Self { key: path("host.key"), cert: path("host.pem"), folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn source(&self, mint: bool) -> Source {
        Source::Pregenerated {
            key: self.key.clone(),
            cert: self.cert.clone(),
            ca_cert: None,
            mint: mint.then(|| DEFAULT_PASSWORD.to_owned()),
        }
    }

    fn root(&self) -> CertificateDer<'static> {
        read(&self.path("cacert.pem"))
    }
}

fn read(path: &Path) -> CertificateDer<'static> {
    pem::read_chain(path).unwrap().remove(0)
}

/// What a client has agreed on, and which certificate it was shown.
#[derive(Debug)]
struct Session {
    alpn: Option<String>,
    version: ProtocolVersion,
    leaf: CertificateDer<'static>,
}

/// A handshake in memory with a client that trusts `root`.
fn connect(
    server: &Arc<ServerConfig>,
    root: &CertificateDer<'static>,
    host: &str,
    offers: &[&str],
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Result<Session, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = offers.iter().map(|offer| offer.as_bytes().to_vec()).collect();
    let mut client = ClientConnection::new(Arc::new(config), host.to_owned().try_into().unwrap())?;
    let mut server = ServerConnection::new(Arc::clone(server))?;
    while client.is_handshaking() || server.is_handshaking() {
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        server.read_tls(&mut bytes.as_slice()).unwrap();
        server.process_new_packets()?;
        bytes.clear();
        server.write_tls(&mut bytes).unwrap();
        client.read_tls(&mut bytes.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    Ok(Session {
        alpn: client.alpn_protocol().map(|name| String::from_utf8(name.to_vec()).unwrap()),
        version: client.protocol_version().unwrap(),
        leaf: client.peer_certificates().unwrap()[0].clone().into_owned(),
    })
}

/// The certificate that a client is shown, if it accepts it.
fn shown(
    identity: &Identity,
    root: &CertificateDer<'static>,
    host: &str,
) -> Result<CertificateDer<'static>, rustls::Error> {
    connect(&identity.https, root, host, &[], rustls::ALL_VERSIONS).map(|session| session.leaf)
}

#[test]
fn the_https_port_agrees_on_no_protocol_and_the_h2_port_on_h2() {
    let certs = Certs::new(&[], &[WPT]);
    let identity = load(&certs.source(false), &names(&[WPT])).unwrap();
    let offers = ["h2", "http/1.1"];
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let agreed = |server, offers: &[&str]| {
            let session = connect(server, &certs.root(), WPT, offers, &[version]).unwrap();
            assert_eq!(session.version, version.version);
            session.alpn
        };
        assert_eq!(agreed(&identity.https, &offers), None);
        assert_eq!(agreed(&identity.h2, &offers).as_deref(), Some("h2"));
        assert_eq!(agreed(&identity.h2, &[]), None);
    }
    // HTTP/2 frames would be no use to this client.
    assert!(connect(&identity.h2, &certs.root(), WPT, &["http/1.1"], rustls::ALL_VERSIONS).is_err());
    assert!(shown(&identity, &certs.root(), "other.test").is_err());
}

#[test]
fn every_form_of_a_key_is_read() {
    let folder = TempDir::new().unwrap();
    let provider = ring::default_provider();
    for (name, plain) in [("rsa", ["rsa.pkcs8.key", "rsa.pkcs1.key"]), ("ec", ["ec.pkcs8.key", "ec.sec1.key"])] {
        let fixture = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls").join(name);
        let key = KeyPair::from_pem(&fs::read_to_string(fixture(plain[0])).unwrap()).unwrap();
        let cert = folder.path().join(format!("{name}.pem"));
        fs::write(&cert, CertificateParams::new(names(&[WPT])).unwrap().self_signed(&key).unwrap().pem()).unwrap();
        for key in plain {
            let paths = Paths { key: fixture(key), cert: cert.clone() };
            paths.read(None, &provider).unwrap_or_else(|error| panic!("{key}: {error}"));
        }
    }
    for sealed in [SEALED_AS_WPT, SEALED_AS_OPENSSL_3] {
        let paths = Paths { key: folder.path().join("sealed.key"), cert: folder.path().join("rsa.pem") };
        fs::write(&paths.key, sealed).unwrap();
        paths.read(Some(DEFAULT_PASSWORD), &provider).unwrap();
        let error = paths.read(Some("wrong"), &provider).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot decrypt the key {}: ", paths.key.display())), "{error}");
        assert!(error.contains("set ssl.openssl.password"), "{error}");
        // The key of the served certificate must not be encrypted: the server does not know its password.
        let error = paths.read(None, &provider).unwrap_err().to_string();
        assert!(error.contains("the key is encrypted; decrypt the key"), "{error}");
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let certs = Certs::new(&[], &[WPT]);
    let (key, cert) = (&certs.key, &certs.cert);
    let message = |key: &Path, cert: &Path| {
        let source = Source::Pregenerated {
            key: key.to_owned(),
            cert: cert.to_owned(),
            ca_cert: None,
            mint: Some(String::new()),
        };
        load(&source, &names(&[WPT])).unwrap_err().to_string()
    };
    let missing = certs.path("missing");
    assert!(message(&missing, cert).starts_with(&format!("cannot read the key {}: No such file", missing.display())));
    assert!(message(key, &missing).starts_with(&format!("cannot read the certificate {}: ", missing.display())));
    // The files swapped.
    assert!(
        message(cert, cert)
            .contains("host.pem holds no private key that can be used: the file has no such PEM section")
    );
    assert!(message(key, key).contains("host.key holds no certificate: the file has no such PEM section"));
    let other = Certs::new(&[], &[WPT]);
    assert_eq!(
        message(&other.key, cert),
        format!(
            "the key {} does not belong to the certificate {}; name a pair that was made together",
            other.key.display(),
            cert.display()
        )
    );
    let broken = certs.path("broken.pem");
    for text in ["????", "AAAA"] {
        fs::write(&broken, format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")).unwrap();
        assert!(message(key, &broken).contains("broken.pem holds no certificate: "), "{text}");
    }
}

#[test]
fn a_fresh_certificate_is_minted_from_the_ca_beside() {
    let hosts = [WPT, "www.web-platform.test", "天気の良い日.web-platform.test", "127.0.0.1"];
    let certs = Certs::new(&[WPT], &[WPT]);
    for key in [SEALED_AS_WPT, SEALED_AS_OPENSSL_3, CA_KEY] {
        fs::write(certs.path("cacert.key"), key).unwrap();
        let identity = load(&certs.source(true), &names(&hosts)).unwrap();
        assert_eq!(identity.warnings, [""; 0]);
        assert_eq!((&identity.key_path, &identity.cert_path), (&certs.key, &certs.cert));
        for host in [WPT, "www.web-platform.test", "xn--n8j6ds53lwwkrqhv28a.web-platform.test", "127.0.0.1"] {
            let leaf = shown(&identity, &certs.root(), host).unwrap();
            assert_ne!(leaf, read(&certs.cert));
        }
        assert!(shown(&identity, &certs.root(), "www1.web-platform.test").is_err());
        // For the configured key, whose fingerprint wptrunner and Chromium tell the browser.
        let (leaf, configured) = (shown(&identity, &certs.root(), WPT).unwrap(), read(&certs.cert));
        let key_of = |der| Facts::new(der, &certs.cert).unwrap().public_key().to_vec();
        assert_eq!(key_of(&leaf), key_of(&configured));
        // A new one at every start, and it outlasts the configured one.
        let again = load(&certs.source(true), &names(&hosts)).unwrap();
        let leaf = shown(&again, &certs.root(), WPT).unwrap();
        assert_ne!(leaf, shown(&identity, &certs.root(), WPT).unwrap());
        let facts = Facts::new(&leaf, &certs.cert).unwrap();
        assert!(facts.not_after() > now() + Duration::days(389) && facts.not_after() < now() + Duration::days(398));
    }
    let identity = load(&certs.source(false), &names(&[WPT])).unwrap();
    assert_eq!(shown(&identity, &certs.root(), WPT).unwrap(), read(&certs.cert));
}

#[test]
fn the_configured_certificate_is_served_when_the_ca_beside_is_another_or_unusable() {
    let certs = Certs::new(&[], &[WPT]);
    let served = || {
        let identity = load(&certs.source(true), &names(&[WPT])).unwrap();
        (shown(&identity, &certs.root(), WPT), identity.warnings)
    };
    let root = certs.root();
    // The key cannot be decrypted. The log says so, because the certificate will expire.
    fs::write(certs.path("cacert.key"), SEALED_AS_WPT.replace("MII", "MIJ")).unwrap();
    let (leaf, warnings) = served();
    assert_eq!(leaf.unwrap(), read(&certs.cert));
    assert!(warnings[0].starts_with(&format!("cannot make a fresh certificate for {}: ", certs.cert.display())));
    assert!(warnings[0].contains("cannot decrypt the key"), "{warnings:?}");
    // No key, no warning.
    fs::remove_file(certs.path("cacert.key")).unwrap();
    assert_eq!(served().1, [""; 0]);
    // A certificate of another CA, in WPT's folder: it must not be replaced.
    let other = KeyPair::generate().unwrap();
    let own = CertificateParams::new(names(&[WPT])).unwrap().self_signed(&other).unwrap();
    fs::write(&certs.key, other.serialize_pem()).unwrap();
    fs::write(&certs.cert, own.pem()).unwrap();
    for ca_key in [SEALED_AS_WPT, "not even a key"] {
        fs::write(certs.path("cacert.key"), ca_key).unwrap();
        let identity = load(&certs.source(true), &names(&[WPT])).unwrap();
        assert_eq!(identity.warnings, [""; 0]);
        assert_eq!(shown(&identity, own.der(), WPT).unwrap(), *own.der());
        assert!(shown(&identity, &root, WPT).is_err());
    }
}

#[test]
fn dates_and_names_that_are_wrong_are_said() {
    let (begins, ends) = (datetime!(2025-08-29 20:32:30 UTC), datetime!(2026-08-29 20:32:30 UTC));
    let certs = Certs::with_dates(&[WPT], &[WPT], begins, ends);
    let cert = certs.cert.display();
    let ca = certs.path("cacert.pem");
    let warnings =
        |mint, hosts: &[&str], now| load_at(&certs.source(mint), &names(hosts), now).unwrap().warnings.join("\n");
    let next = format!(
        "make new files, or set ssl.type to \"openssl\" and ssl.openssl.base_path to \"{}\", so that the server makes them",
        certs.folder.path().display()
    );
    for (now, says) in [
        (datetime!(2026-08-01 0:00 UTC), None),
        (datetime!(2026-08-20 0:00 UTC), Some("expires in 9 days, on 2026-08-29")),
        (datetime!(2026-08-29 20:00 UTC), Some("expires in less than a day, on 2026-08-29")),
        (datetime!(2026-08-29 20:33 UTC), Some("expired less than a day ago, on 2026-08-29")),
        (datetime!(2026-11-22 0:00 UTC), Some("expired 84 days ago, on 2026-08-29")),
        (
            datetime!(2025-01-01 0:00 UTC),
            Some("is not valid before 2025-08-29 UTC; is the clock of this machine right?"),
        ),
    ] {
        let leaf = says.map(|says| format!("the certificate {cert} {says}; {next}")).unwrap_or_default();
        assert_eq!(warnings(false, &[WPT], now), leaf);
        // The new certificate is good, but the CA is not.
        let says = says.map(|says| {
            format!(
                "the CA certificate {} {says}; most clients refuse the certificates of this CA; {next}",
                ca.display()
            )
        });
        assert_eq!(warnings(true, &[WPT], now), says.unwrap_or_default());
    }
    let now = datetime!(2026-08-01 0:00 UTC);
    let hosts = [WPT, "a.example", "b.example", "c.example", "d.example"];
    assert_eq!(
        warnings(false, &hosts, now),
        format!(
            "the certificate {cert} is not for a.example, b.example, c.example and 1 more, so clients will refuse these hosts; \
             {next}"
        )
    );
    assert_eq!(
        warnings(true, &hosts, now),
        format!(
            "the CA certificate {} may not sign for a.example, b.example, c.example and 1 more, so clients will refuse these \
             hosts; {next}",
            ca.display()
        )
    );
    // No host to sign for.
    assert_eq!(
        warnings(true, &["a.example"], now),
        format!("the certificate {cert} is not for a.example, so clients will refuse these hosts; {next}")
    );
}

/// `ssl.type` "openssl" in this folder.
fn openssl(base_path: Option<&Path>, force_regenerate: bool) -> Source {
    let base_path = base_path.map(Path::to_owned);
    Source::OpenSsl { base_path, password: DEFAULT_PASSWORD.to_owned(), force_regenerate, duration: 30 }
}

#[test]
fn openssl_mode_makes_a_ca_and_a_certificate_and_keeps_them() {
    let folder = TempDir::new().unwrap();
    let base = folder.path().join("deep/_certs");
    let hosts = names(&["www.web-platform.test", WPT, "élève.web-platform.test", "127.0.0.1", "::1", "not-wpt.test"]);
    let first = load(&openssl(Some(&base), false), &hosts).unwrap();
    assert_eq!(first.warnings, [""; 0]);
    // The shortest name.
    assert_eq!((&first.key_path, &first.cert_path), (&base.join("::1.key"), &base.join("::1.pem")));
    assert_eq!(first.ca_cert_path, Some(base.join("cacert.pem")));
    let root = read(&base.join("cacert.pem"));
    let leaf = read(&first.cert_path);
    for host in ["www.web-platform.test", WPT, "xn--lve-6lad.web-platform.test", "127.0.0.1", "::1", "not-wpt.test"] {
        assert_eq!(shown(&first, &root, host).unwrap(), leaf, "{host}");
    }
    assert!(fs::read_to_string(base.join("cacert.key")).unwrap().starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    let mode = |name: &str| std::os::unix::fs::MetadataExt::mode(&fs::metadata(base.join(name)).unwrap()) & 0o777;
    assert_eq!((mode("cacert.key"), mode("::1.key")), (0o600, 0o600));
    let files = || {
        let mut files: Vec<_> = fs::read_dir(&base).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        files.sort();
        files
    };
    assert_eq!(files(), ["::1.key", "::1.pem", "cacert.key", "cacert.pem"]);

    let second = load(&openssl(Some(&base), false), &hosts).unwrap();
    assert_eq!(shown(&second, &root, WPT).unwrap(), leaf, "kept");
    // Fewer hosts, another leaf of the same CA: the name of the file is another one.
    let third = load(&openssl(Some(&base), false), &names(&[WPT])).unwrap();
    assert_eq!(third.cert_path, base.join("web-platform.test.pem"));
    shown(&third, &root, WPT).unwrap();
    assert!(shown(&third, &root, "not-wpt.test").is_err());
    // A host that the CA may not sign for: all is made anew.
    let more = load(&openssl(Some(&base), false), &names(&[WPT, "an.example.org"])).unwrap();
    let new_root = read(&base.join("cacert.pem"));
    assert_ne!(new_root, root);
    shown(&more, &new_root, "an.example.org").unwrap();
    // Forced: likewise.
    load(&openssl(Some(&base), true), &names(&[WPT])).unwrap();
    assert_ne!(read(&base.join("cacert.pem")), new_root);
}

#[test]
fn openssl_mode_makes_anew_what_ends_within_six_hours() {
    let folder = TempDir::new().unwrap();
    let source = openssl(Some(folder.path()), false);
    let start = datetime!(2026-01-01 0:00 UTC);
    let leaf_at = |now| {
        let identity = load_at(&source, &names(&[WPT]), now).unwrap();
        (read(&identity.cert_path), read(&identity.ca_cert_path.unwrap()))
    };
    let first = leaf_at(start);
    assert_eq!(leaf_at(start + Duration::days(30) - Duration::hours(7)), first);
    let next = leaf_at(start + Duration::days(30) - Duration::hours(5));
    assert_ne!(next.0, first.0);
    assert_ne!(next.1, first.1);
    // A leaf that is missing or broken is made anew by the existing CA.
    fs::write(folder.path().join("web-platform.test.key"), "broken").unwrap();
    let repaired = leaf_at(start + Duration::days(30));
    assert_ne!(repaired.0, next.0);
    assert_eq!(repaired.1, next.1);
}

#[test]
fn openssl_mode_says_what_is_wrong() {
    let folder = TempDir::new().unwrap();
    let hosts = names(&[WPT]);
    load(&openssl(Some(folder.path()), false), &hosts).unwrap();
    fs::remove_file(folder.path().join("web-platform.test.pem")).unwrap();
    let wrong = Source::OpenSsl {
        base_path: Some(folder.path().to_owned()),
        password: "wrong".to_owned(),
        force_regenerate: false,
        duration: 30,
    };
    let error = load(&wrong, &hosts).unwrap_err().to_string();
    assert!(error.starts_with("cannot decrypt the key ") && error.contains("force_regenerate"), "{error}");
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = load(&openssl(Some(&file), false), &hosts).unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot write {}: ", file.display())), "{error}");
    for name in ["../evil", "a b.test", ""] {
        let error = load(&openssl(None, false), &names(&[name])).unwrap_err();
        assert!(matches!(error, TlsError::HostName { .. }), "{name:?}: {error}");
    }
    assert!(matches!(load(&openssl(None, false), &[]), Err(TlsError::NoHosts)));
}

#[test]
fn openssl_mode_without_a_folder_leaves_nothing_behind() {
    let identity = load(&openssl(None, false), &names(&[WPT])).unwrap();
    let cert = identity.cert_path.clone();
    shown(&identity, &read(&identity.ca_cert_path.clone().unwrap()), WPT).unwrap();
    assert!(cert.exists());
    drop(identity);
    assert!(!cert.parent().unwrap().exists());
}

#[test]
fn a_duration_without_end_is_no_trouble() {
    for duration in [0, u32::MAX] {
        let source = Source::OpenSsl { base_path: None, password: String::new(), force_regenerate: false, duration };
        let identity = load(&source, &names(&[WPT])).unwrap();
        let key = fs::read_to_string(identity.key_path.with_file_name("cacert.key")).unwrap();
        assert!(key.starts_with("-----BEGIN PRIVATE KEY-----"), "no password, no encryption");
    }
}
