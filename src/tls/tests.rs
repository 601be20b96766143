//! Reading keys and certificates, and the handshakes that follow.

use std::{fs, path::Path};

use rcgen::{CertificateParams, KeyPair};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection, pki_types::CertificateDer};
use tempfile::TempDir;

use super::*;

/// A folder with a self-signed pair.
fn pair(hosts: &[&str]) -> (TempDir, Source) {
    let folder = TempDir::new().unwrap();
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let cert = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    let (key_path, cert_path) = (folder.path().join("host.key"), folder.path().join("host.pem"));
    fs::write(&key_path, key.serialize_pem()).unwrap();
    // wptserve's files begin with the certificate in words.
    fs::write(&cert_path, format!("Certificate:\n    Data:\n{}", cert.pem())).unwrap();
    (folder, Source::Pregenerated { key: key_path, cert: cert_path, ca_cert: None })
}

/// A handshake in memory. What was agreed on: the protocol of ALPN and the version.
fn handshake(
    server: &Arc<ServerConfig>,
    root: &CertificateDer<'static>,
    host: &str,
    offers: &[&str],
) -> Result<(Option<String>, rustls::ProtocolVersion), rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
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
    let alpn = client.alpn_protocol().map(|name| String::from_utf8(name.to_vec()).unwrap());
    Ok((alpn, client.protocol_version().unwrap()))
}

fn root(path: &Path) -> CertificateDer<'static> {
    pem::read_chain(path).unwrap().remove(0)
}

#[test]
fn the_https_port_agrees_on_no_protocol_and_the_h2_port_on_h2() {
    let (_folder, source) = pair(&["web-platform.test"]);
    let identity = load(&source, &["web-platform.test".to_owned()]).unwrap();
    let root = root(&identity.cert_path);
    let offers = ["h2", "http/1.1"];
    let tls13 = rustls::ProtocolVersion::TLSv1_3;
    assert_eq!(handshake(&identity.https, &root, "web-platform.test", &offers), Ok((None, tls13)));
    assert_eq!(handshake(&identity.h2, &root, "web-platform.test", &offers), Ok((Some("h2".to_owned()), tls13)));
    assert_eq!(handshake(&identity.h2, &root, "web-platform.test", &[]), Ok((None, tls13)));
    assert!(handshake(&identity.https, &root, "other.test", &offers).is_err());
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let (folder, source) = pair(&["a.test"]);
    let (other_folder, _other) = pair(&["a.test"]);
    let Source::Pregenerated { key, cert, .. } = source;
    let message = |key: &Path, cert: &Path| {
        let source = Source::Pregenerated { key: key.to_owned(), cert: cert.to_owned(), ca_cert: None };
        load(&source, &["a.test".to_owned()]).unwrap_err().to_string()
    };
    let missing = folder.path().join("missing.key");
    assert!(message(&missing, &cert).starts_with(&format!("cannot read the key {}: No such file", missing.display())));
    assert!(message(&key, &missing).starts_with(&format!("cannot read the certificate {}:", missing.display())));
    // The files swapped.
    assert!(message(&cert, &cert).contains("holds no private key that can be used: no such PEM section"));
    assert!(message(&key, &key).contains("holds no certificate: no such PEM section"));
    let stranger = other_folder.path().join("host.key");
    assert_eq!(
        message(&stranger, &cert),
        format!(
            "the key {} does not belong to the certificate {}; name a pair that was made together",
            stranger.display(),
            cert.display()
        )
    );
    let sealed = folder.path().join("sealed.key");
    fs::write(&sealed, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n").unwrap();
    assert!(message(&sealed, &cert).contains("it is encrypted; decrypt it"));
    let broken = folder.path().join("broken.pem");
    fs::write(&broken, "-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n").unwrap();
    assert!(message(&key, &broken).contains("holds no certificate: "));
}
