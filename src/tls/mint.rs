//! Making certificates: a CA, and leaves that it signs.

use pkcs8::{LineEnding, PrivateKeyInfoRef, pkcs5::pbes2};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, NameConstraints, PublicKeyData, SignatureAlgorithm, SigningKey,
};
use time::{Duration, OffsetDateTime};
use tokio_rustls::rustls::{
    SignatureScheme,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::{CertifiedKey, Signer},
};

use super::{
    TlsError,
    facts::Facts,
    host::{Host, primary},
};

/// Clocks differ a little, and those of test devices a lot.
const BACKDATED: Duration = Duration::DAY;
/// Any later date has another form in certificates, which nobody needs.
const LAST_YEAR: i32 = 9999;
/// X.520 allows no longer common name.
const COMMON_NAME: usize = 64;
/// As many as `openssl req` takes: this password is in WPT's sources, so that more work protects nothing.
const ITERATIONS: u32 = 2048;

/// A fresh key and its certificate.
#[derive(Debug)]
pub(super) struct Minted {
    key: KeyPair,
    pub(super) der: CertificateDer<'static>,
    /// The same in PEM.
    pub(super) cert_pem: String,
}

impl Minted {
    pub(super) fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// The key in PEM, encrypted as OpenSSL 3 does it: PBES2 with PBKDF2, SHA-256 and AES-256. An empty password leaves
    /// it in the open.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(super) fn sealed_key_pem(&self, password: &str, provider: &CryptoProvider) -> Result<String, TlsError> {
        if password.is_empty() {
            return Ok(self.key_pem());
        }
        let (mut salt, mut iv) = ([0; 16], [0; 16]);
        let fill = |bytes: &mut [u8]| {
            provider.secure_random.fill(bytes).map_err(|_| TlsError::make(rcgen::Error::RingUnspecified))
        };
        fill(&mut salt)?;
        fill(&mut iv)?;
        let sealed = || -> Result<String, pkcs8::Error> {
            let way = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(ITERATIONS, &salt, iv)?;
            let sealed = PrivateKeyInfoRef::try_from(self.key.serialized_der())?.encrypt_with_params(way, password)?;
            Ok(sealed.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF)?.to_string())
        };
        sealed().map_err(TlsError::make)
    }

    /// As the TLS library wants it, with what leads from it to the CA.
    ///
    /// # Errors
    /// It refuses the key.
    pub(super) fn certified(
        &self,
        chain: &[CertificateDer<'static>],
        provider: &CryptoProvider,
    ) -> Result<CertifiedKey, TlsError> {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let key = provider.key_provider.load_private_key(key).map_err(TlsError::make)?;
        let chain = std::iter::once(&self.der).chain(chain).cloned().collect();
        Ok(CertifiedKey::new(chain, key))
    }
}

/// The key of a CA, for signing certificates.
struct CaKey<'a> {
    signer: Box<dyn Signer>,
    algorithm: &'static SignatureAlgorithm,
    public: &'a [u8],
}

impl PublicKeyData for CaKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

impl SigningKey for CaKey<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.signer.sign(message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

impl<'a> CaKey<'a> {
    fn new(ca: &CertifiedKey, facts: &'a Facts<'_>) -> Option<Self> {
        let ways: [(SignatureScheme, &'static SignatureAlgorithm); 4] = [
            (SignatureScheme::RSA_PKCS1_SHA256, &rcgen::PKCS_RSA_SHA256),
            (SignatureScheme::ECDSA_NISTP256_SHA256, &rcgen::PKCS_ECDSA_P256_SHA256),
            (SignatureScheme::ECDSA_NISTP384_SHA384, &rcgen::PKCS_ECDSA_P384_SHA384),
            (SignatureScheme::ED25519, &rcgen::PKCS_ED25519),
        ];
        let chosen = |(scheme, algorithm)| {
            let signer = ca.key.choose_scheme(&[scheme])?;
            Some(Self { signer, algorithm, public: facts.public_key() })
        };
        ways.into_iter().find_map(chosen)
    }
}

/// Makes a CA that may sign for these hosts and what is below them, and for nothing else.
///
/// # Errors
/// The system gives no random numbers.
pub(super) fn ca(hosts: &[Host], lifetime: Duration, now: OffsetDateTime) -> Result<Minted, TlsError> {
    let mut params = parameters("web-platform-tests", lifetime, now);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: hosts.iter().map(Host::subtree).collect(),
        excluded_subtrees: Vec::new(),
    });
    let key = KeyPair::generate().map_err(TlsError::make)?;
    let cert = params.self_signed(&key).map_err(TlsError::make)?;
    Ok(Minted { der: cert.der().clone(), cert_pem: cert.pem(), key })
}

/// Makes a certificate for these hosts, signed by a CA.
///
/// # Errors
/// The CA's key does not sign, or its certificate cannot be named as issuer.
pub(super) fn leaf(
    ca: &CertifiedKey,
    ca_facts: &Facts<'_>,
    hosts: &[Host],
    lifetime: Duration,
    now: OffsetDateTime,
) -> Result<Minted, TlsError> {
    let mut params = parameters(&primary(hosts).unwrap_or_default(), lifetime, now);
    params.subject_alt_names = hosts.iter().filter_map(Host::subject_alt_name).collect();
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let ca_key = CaKey::new(ca, ca_facts).ok_or(rcgen::Error::UnsupportedSignatureAlgorithm).map_err(TlsError::make)?;
    let ca_cert = ca.end_entity_cert().map_err(TlsError::make)?;
    let issuer = Issuer::from_ca_cert_der(ca_cert, ca_key).map_err(TlsError::make)?;
    let key = KeyPair::generate().map_err(TlsError::make)?;
    let cert = params.signed_by(&key, &issuer).map_err(TlsError::make)?;
    Ok(Minted { der: cert.der().clone(), cert_pem: cert.pem(), key })
}

fn parameters(common_name: &str, lifetime: Duration, now: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = now - BACKDATED;
    let last = now.replace_year(LAST_YEAR).unwrap_or(now);
    params.not_after = now.checked_add(lifetime).unwrap_or(last).min(last);
    params.distinguished_name = DistinguishedName::new();
    if common_name.len() <= COMMON_NAME {
        params.distinguished_name.push(DnType::CommonName, common_name);
    }
    params
}
