//! TLS, if the operator gives a certificate: read again whenever its files change.
use crate::error::{Error, Result};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(5);

/// The files of a certificate and of its key, in PEM.
#[derive(Clone, Debug)]
pub struct CertificateFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// The certificate with which handshakes are made now.
#[derive(Debug)]
pub struct Tls {
    files: CertificateFiles,
    current: Arc<Current>,
    config: Arc<ServerConfig>,
}

#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// The bytes of both files.
struct Pair {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl CertificateFiles {
    fn read(&self) -> Result<Pair> {
        Ok(Pair {
            certificate: bytes("PROXBOX_TLS_CERT", &self.certificate)?,
            key: bytes("PROXBOX_TLS_KEY", &self.key)?,
        })
    }
}

fn bytes(option: &str, path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::Conflict(format!("{option}: cannot read {}: {error}", path.display())))
}

impl Pair {
    /// A certificate whose key this is.
    fn certified(&self) -> Result<CertifiedKey> {
        let wrong = |option: &str, why: &dyn std::fmt::Display| Error::Conflict(format!("{option}: {why}"));
        let chain = CertificateDer::pem_slice_iter(&self.certificate).collect::<std::result::Result<Vec<_>, _>>();
        let chain = chain.map_err(|error| wrong("PROXBOX_TLS_CERT", &error))?;
        if chain.is_empty() {
            return Err(wrong("PROXBOX_TLS_CERT", &"there is no certificate in it"));
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| wrong("PROXBOX_TLS_KEY", &error))?;
        CertifiedKey::from_der(chain, key, &ring::default_provider())
            .map_err(|error| wrong("PROXBOX_TLS_CERT and PROXBOX_TLS_KEY", &error))
    }

    fn digest(&self) -> [u8; 32] {
        Sha256::new().chain_update(&self.certificate).chain_update(&self.key).finalize().into()
    }
}

impl Tls {
    /// Reads the files. TLS 1.2 and 1.3, and HTTP/1.1 over them.
    ///
    /// # Errors
    /// If a file cannot be read, holds nothing of its kind, or the key is another certificate's.
    pub fn open(files: CertificateFiles) -> Result<Self> {
        let current = Arc::new(Current(RwLock::new(Arc::new(files.read()?.certified()?))));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Internal(error.to_string()))?;
        let mut config = config.with_no_client_auth().with_cert_resolver(current.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { files, current, config: Arc::new(config) })
    }

    /// Makes handshakes with the certificate of the moment.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.clone())
    }

    /// Follows the files for ever. What cannot be used (one of two files may be written already) leaves the certificate
    /// as it is, and is told once.
    pub async fn follow(&self) {
        let mut seen = self.files.read().map(|pair| pair.digest()).ok();
        loop {
            sleep(EVERY).await;
            let read = self.files.read();
            let digest = read.as_ref().map(Pair::digest).ok();
            if std::mem::replace(&mut seen, digest) == digest {
                continue;
            }
            match read.and_then(|pair| pair.certified()) {
                Ok(key) => {
                    *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
                    tracing::info!("the certificate of {} is used from now on", self.files.certificate.display());
                }
                Err(error) => tracing::warn!("the certificate stays as it is: {error}"),
            }
        }
    }
}
