//! What clients may take of connections and requests, and TLS.
use crate::error::Result;
use crate::server::{CertificateFiles, ConnectionLimits, LoadLimits, Tls};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// What clients may take together, and how long.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Limits of connections and requests")]
pub struct LoadOptions {
    /// Connections at the same time
    #[arg(
        long,
        env = "PROXBOX_CONNECTIONS",
        default_value_t = 4096,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub connections: u32,

    /// Connections of one client at the same time; trusted proxies have no limit of their own
    #[arg(
        long,
        env = "PROXBOX_CLIENT_CONNECTIONS",
        default_value_t = 1024,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub client_connections: u32,

    /// Requests that are worked at at the same time; one more is told to come again
    #[arg(
        long,
        env = "PROXBOX_REQUESTS",
        default_value_t = 256,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub requests: u32,

    /// Seconds that the head of a request may take, and a TLS handshake
    #[arg(
        long,
        env = "PROXBOX_HEAD_TIMEOUT",
        default_value_t = 5,
        value_parser = clap::value_parser!(u64).range(1..=3600)
    )]
    pub head_timeout: u64,

    /// Seconds that nothing may come of a body
    #[arg(
        long,
        env = "PROXBOX_BODY_IDLE",
        default_value_t = 10,
        value_parser = clap::value_parser!(u64).range(1..=3600)
    )]
    pub body_idle: u64,

    /// Seconds that a body may take
    #[arg(
        long,
        env = "PROXBOX_BODY_TIMEOUT",
        default_value_t = 30,
        value_parser = clap::value_parser!(u64).range(1..=3600)
    )]
    pub body_timeout: u64,

    /// Seconds that a client may take nothing of an answer; slow readers of long streams have all the time they want
    #[arg(
        long,
        env = "PROXBOX_WRITE_IDLE",
        default_value_t = 30,
        value_parser = clap::value_parser!(u64).range(1..=3600)
    )]
    pub write_idle: u64,

    /// Seconds that a connection may rest between two requests
    #[arg(
        long,
        env = "PROXBOX_KEEP_ALIVE",
        default_value_t = 30,
        value_parser = clap::value_parser!(u64).range(1..=3600)
    )]
    pub keep_alive: u64,
}

impl LoadOptions {
    /// What connections may take.
    pub fn connections(&self) -> ConnectionLimits {
        ConnectionLimits {
            most: self.connections as usize,
            most_each: self.client_connections as usize,
            head: Duration::from_secs(self.head_timeout),
            rest: Duration::from_secs(self.keep_alive),
            write_idle: Duration::from_secs(self.write_idle),
        }
    }

    /// What requests may take, of which none has a longer body than this.
    pub(super) fn requests(&self, body: usize) -> LoadLimits {
        /// Bytes that the bodies of all requests may take, unless one alone may take more.
        const MEMORY: usize = 128 << 20;
        LoadLimits {
            requests: self.requests as usize,
            memory: MEMORY.max(body.saturating_mul(2)),
            body,
            body_idle: Duration::from_secs(self.body_idle),
            body_total: Duration::from_secs(self.body_timeout),
        }
    }
}

/// TLS of the server's own.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsFiles {
    /// A file with the server's certificate and what leads to its authority, in PEM; the server then speaks HTTPS only,
    /// and follows changes of the file
    #[arg(long, env = "PROXBOX_TLS_CERT", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// A file with the key of that certificate, in PEM
    #[arg(long, env = "PROXBOX_TLS_KEY", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
}

impl TlsFiles {
    /// Whether clients reach this server by HTTPS.
    pub fn is_set(&self) -> bool {
        self.tls_cert.is_some()
    }

    /// The certificate, if one is set; fails if it cannot be used.
    pub fn open(&self) -> Result<Option<Tls>> {
        let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) else { return Ok(None) };
        Tls::open(CertificateFiles { certificate: certificate.clone(), key: key.clone() }).map(Some)
    }
}
