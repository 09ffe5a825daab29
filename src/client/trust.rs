//! Which certificates are believed. Whatever is believed, the handshake's signature is verified: a server must have the
//! key of the certificate that it shows.
use super::failure::{Class, Failure};
use super::fingerprint::Fingerprint;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::{Arc, Mutex, PoisonError};

/// Which certificates are believed.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Those that the system's roots vouch for.
    System,
    /// Those that these certificates vouch for: PEM, one or more.
    Ca(String),
    /// These, whoever made them and whatever name they have.
    Pins(Vec<Fingerprint>),
    /// Any. Whoever sits on the way can read the credentials.
    Unverified,
}

/// What a handshake tells besides its result.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The certificate that the server showed last.
    presented: Mutex<Option<Fingerprint>>,
}

impl Seen {
    pub fn presented(&self) -> Option<Fingerprint> {
        *self.presented.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, fingerprint: Fingerprint) {
        *self.presented.lock().unwrap_or_else(PoisonError::into_inner) = Some(fingerprint);
    }
}

/// A trust, ready to judge.
#[derive(Clone, Debug)]
pub(super) struct Judge {
    verdict: Verdict,
    provider: Arc<CryptoProvider>,
}

#[derive(Clone, Debug)]
enum Verdict {
    /// A chain to roots, for the right name.
    Chain(Arc<dyn ServerCertVerifier>),
    Pins(Vec<Fingerprint>),
    Any,
}

impl Judge {
    pub fn new(trust: &Trust) -> Result<Self, Failure> {
        let provider = Arc::new(ring::default_provider());
        let verdict = match trust {
            Trust::System => Verdict::Chain(system(&provider)?),
            Trust::Ca(pem) => Verdict::Chain(authority(pem, &provider)?),
            Trust::Pins(pins) => Verdict::Pins(pins.clone()),
            Trust::Unverified => Verdict::Any,
        };
        Ok(Self { verdict, provider })
    }

    /// The TLS of one connection; what it sees and why it refuses is told at these places.
    pub fn config(&self, seen: Arc<Seen>, why: Arc<Mutex<Option<Failure>>>) -> Result<ClientConfig, Failure> {
        let verifier = Verifier { judge: self.clone(), seen, why };
        let config = ClientConfig::builder_with_provider(self.provider.clone());
        let config = config.with_safe_default_protocol_versions();
        let config = config.map_err(|error| Failure::new(Class::Protocol, format!("no TLS: {error}")))?;
        let config = config.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = config.with_no_client_auth();
        // A resumed session shows no certificate: every connection is to be judged.
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    /// Whether the certificate is believed, as the handshake would have it.
    fn judge(&self, shown: &Shown<'_>) -> Result<(), Failure> {
        let presented = Fingerprint::of(shown.leaf);
        match &self.verdict {
            Verdict::Any => Ok(()),
            Verdict::Pins(pins) if pins.contains(&presented) => Ok(()),
            Verdict::Pins(pins) => Err(changed(pins, presented)),
            Verdict::Chain(verifier) => {
                let verified = verifier.verify_server_cert(shown.leaf, shown.chain, shown.name, shown.ocsp, shown.now);
                verified.map(drop).map_err(|error| untrusted(&error, presented))
            }
        }
    }
}

/// What a server shows.
struct Shown<'a> {
    leaf: &'a CertificateDer<'a>,
    chain: &'a [CertificateDer<'a>],
    name: &'a ServerName<'a>,
    ocsp: &'a [u8],
    now: UnixTime,
}

/// Whether the system's roots vouch for a certificate; else why not.
pub(super) fn is_public(chain: &[CertificateDer<'_>], name: &ServerName<'_>) -> Result<(), Failure> {
    let Some((leaf, chain)) = chain.split_first() else {
        return Err(Failure::new(Class::TlsUntrusted, "the server shows no certificate"));
    };
    Judge::new(&Trust::System)?.judge(&Shown { leaf, chain, name, ocsp: &[], now: UnixTime::now() })
}

/// The verifier of the platform; on Linux the certificates of the system, or of `SSL_CERT_FILE`.
fn system(provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, Failure> {
    let verifier = rustls_platform_verifier::Verifier::new(provider.clone());
    let told =
        |error| Failure::new(Class::TlsUntrusted, format!("the system's root certificates cannot be used: {error}"));
    Ok(Arc::new(verifier.map_err(told)?))
}

/// A verifier with these roots only.
fn authority(pem: &str, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, Failure> {
    let told = |why: String| Failure::new(Class::TlsUntrusted, format!("the CA certificate cannot be used: {why}"));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| told(error.to_string()))?;
        roots.add(certificate).map_err(|error| told(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(told("it holds no certificate in PEM".into()));
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
    Ok(verifier.map_err(|error| told(error.to_string()))?)
}

fn changed(pins: &[Fingerprint], presented: Fingerprint) -> Failure {
    let list = pins.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    // What is shown comes first: a long list of pins is cut.
    let message = format!("the server's certificate has the fingerprint {presented}, but pinned is {list}");
    Failure::new(Class::TlsFingerprintChanged { pinned: pins.to_vec(), presented }, message)
}

fn untrusted(error: &Error, presented: Fingerprint) -> Failure {
    let why = match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => "nobody who is trusted vouches for it".to_owned(),
        Error::InvalidCertificate(error) => error.to_string(),
        other => other.to_string(),
    };
    let message = format!("the server's certificate ({presented}) is not trusted: {why}");
    Failure::new(Class::TlsUntrusted, message)
}

/// Judges the certificates of one connection.
#[derive(Debug)]
struct Verifier {
    judge: Judge,
    seen: Arc<Seen>,
    why: Arc<Mutex<Option<Failure>>>,
}

impl Verifier {
    /// Tells why before TLS loses it: what comes out of a connection that failed is a text.
    fn refuse(&self, failure: Failure) -> Error {
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
        Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)
    }

    fn signed(&self, verified: Result<HandshakeSignatureValid, Error>) -> Result<HandshakeSignatureValid, Error> {
        let told = |error| format!("the server does not prove that its certificate is its own: {error}");
        verified.map_err(|error| self.refuse(Failure::new(Class::TlsUntrusted, told(error))))
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.seen.note(Fingerprint::of(leaf));
        let judged = self.judge.judge(&Shown { leaf, chain, name, ocsp, now });
        judged.map(|()| ServerCertVerified::assertion()).map_err(|failure| self.refuse(failure))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.judge.provider.signature_verification_algorithms;
        self.signed(verify_tls12_signature(message, leaf, signed, algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.judge.provider.signature_verification_algorithms;
        self.signed(verify_tls13_signature(message, leaf, signed, algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.provider.signature_verification_algorithms.supported_schemes()
    }
}
