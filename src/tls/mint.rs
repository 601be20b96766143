//! Making certificates: a CA, and leaves that it signs.

use pkcs8::{LineEnding, PrivateKeyInfoRef, pkcs5::pbes2};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints, PublicKeyData, SerialNumber, SignatureAlgorithm, SigningKey,
};
use time::{Duration, OffsetDateTime};
use tokio_rustls::rustls::{
    SignatureScheme,
    crypto::CryptoProvider,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::{CertifiedKey, Signer},
};

use super::{
    TlsError,
    facts::Facts,
    host::{Host, primary},
};

/// Clocks differ a little, and those of test devices a lot.
const BACKDATED: Duration = Duration::DAY;
/// A later date would need another form in certificates.
const LAST_YEAR: i32 = 9999;
/// X.520 allows no longer common name.
const COMMON_NAME: usize = 64;
/// The number that `openssl req` uses. The default password is in WPT's sources, so more work would protect nothing.
const ITERATIONS: u32 = 2048;

/// The input of every new certificate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order<'a> {
    pub(super) hosts: &'a [Host],
    pub(super) lifetime: Duration,
    pub(super) now: OffsetDateTime,
    /// The source of random numbers.
    pub(super) provider: &'a CryptoProvider,
}

impl Order<'_> {
    fn random<const N: usize>(&self) -> Result<[u8; N], TlsError> {
        let mut bytes = [0; N];
        self.provider.secure_random.fill(&mut bytes).map_err(|_| TlsError::make(rcgen::Error::RingUnspecified))?;
        Ok(bytes)
    }

    fn parameters(&self, common_name: &str) -> Result<CertificateParams, TlsError> {
        let mut params = CertificateParams::default();
        // Firefox refuses a second certificate with a number that it has seen.
        params.serial_number = Some(SerialNumber::from_slice(&self.random::<16>()?.map(|byte| byte & 0x7f)));
        params.not_before = self.now - BACKDATED;
        let last = self.now.replace_year(LAST_YEAR).unwrap_or(self.now);
        params.not_after = self.now.checked_add(self.lifetime).unwrap_or(last).min(last);
        params.distinguished_name = DistinguishedName::new();
        if common_name.len() <= COMMON_NAME {
            params.distinguished_name.push(DnType::CommonName, common_name);
        }
        Ok(params)
    }

    /// Makes a CA that may sign for the hosts and the names below them, and for no others.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(super) fn ca(&self) -> Result<Made, TlsError> {
        let mut params = self.parameters("web-platform-tests")?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: self.hosts.iter().map(Host::subtree).collect(),
            excluded_subtrees: Vec::new(),
        });
        let key = KeyPair::generate().map_err(TlsError::make)?;
        let cert = params.self_signed(&key).map_err(TlsError::make)?;
        Ok(Made { key, cert })
    }

    /// Makes a certificate for the hosts and a new key, signed by a CA.
    ///
    /// # Errors
    /// The CA's key does not sign, or its certificate cannot be named as issuer.
    pub(super) fn leaf(&self, ca: &CertifiedKey, ca_facts: &Facts<'_>) -> Result<Made, TlsError> {
        let key = KeyPair::generate().map_err(TlsError::make)?;
        let cert = self.leaf_for(&key, ca, ca_facts)?;
        Ok(Made { key, cert })
    }

    /// Makes a certificate for the hosts and an existing key, signed by a CA.
    ///
    /// # Errors
    /// The CA's key does not sign, or its certificate cannot be named as issuer.
    pub(super) fn leaf_for(
        &self,
        key: &impl PublicKeyData,
        ca: &CertifiedKey,
        ca_facts: &Facts<'_>,
    ) -> Result<Certificate, TlsError> {
        let mut params = self.parameters(&primary(self.hosts).unwrap_or_default())?;
        params.subject_alt_names = self.hosts.iter().filter_map(Host::subject_alt_name).collect();
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let no_way = || TlsError::make(rcgen::Error::UnsupportedSignatureAlgorithm);
        let ca_key = CaKey::new(ca, ca_facts).ok_or_else(no_way)?;
        let ca_cert = ca.end_entity_cert().map_err(TlsError::make)?;
        let issuer = Issuer::from_ca_cert_der(ca_cert, ca_key).map_err(TlsError::make)?;
        params.signed_by(key, &issuer).map_err(TlsError::make)
    }

    /// A key in PEM, encrypted as OpenSSL 3 does it: PBES2 with PBKDF2, SHA-256 and AES-256. With an empty password the key
    /// is not encrypted.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(super) fn sealed(&self, key: &KeyPair, password: &str) -> Result<String, TlsError> {
        if password.is_empty() {
            return Ok(key.serialize_pem());
        }
        let (salt, iv) = (self.random::<16>()?, self.random()?);
        let sealed = || -> Result<String, pkcs8::Error> {
            let way = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(ITERATIONS, &salt, iv)?;
            let sealed = PrivateKeyInfoRef::try_from(key.serialized_der())?.encrypt_with_params(way, password)?;
            Ok(sealed.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF)?.to_string())
        };
        sealed().map_err(TlsError::make)
    }
}

/// A fresh key and its certificate.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) key: KeyPair,
    pub(super) cert: Certificate,
}

impl Made {
    /// The pair in the form that the TLS library uses.
    ///
    /// # Errors
    /// The TLS library refuses the key.
    pub(super) fn certified(&self, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let key = provider.key_provider.load_private_key(key).map_err(TlsError::make)?;
        Ok(CertifiedKey::new(vec![self.cert.der().clone()], key))
    }
}

/// The key of a CA, for signing certificates.
struct CaKey<'a> {
    signer: Box<dyn Signer>,
    algorithm: &'static SignatureAlgorithm,
    public: &'a [u8],
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
