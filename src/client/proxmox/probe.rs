//! A look at what a server shows before anybody believes it.
use crate::client::failure::{Class, Failure};
use crate::client::fingerprint::Fingerprint;
use crate::client::guard::Host;
use crate::client::rules::Rules;
use crate::client::trust::{Judge, Trust, is_public};
use rustls::pki_types::ServerName;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// What a server shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Where it was connected to.
    pub address: IpAddr,
    /// Of its certificate.
    pub fingerprint: Fingerprint,
    /// Why the system's roots do not vouch for it under this name; none if they do.
    pub untrusted: Option<String>,
}

impl Probe {
    /// Whether the system's roots vouch for it, so that nothing needs to be pinned.
    pub fn is_trusted(&self) -> bool {
        self.untrusted.is_none()
    }
}

/// Makes a TLS handshake and nothing else: no credentials, no request, and no trust in whoever answers.
pub async fn probe(host: &str, port: u16, rules: &Rules) -> Result<Probe, Failure> {
    let host = Host::parse(host, rules)?;
    let late =
        |_| Failure::new(Class::Timeout, format!("no connection to {}:{port} within {:?}", host.url, rules.connect));
    tokio::time::timeout(rules.connect, shake(&host, port, rules)).await.map_err(late)?
}

async fn shake(host: &Host, port: u16, rules: &Rules) -> Result<Probe, Failure> {
    let (stream, address) = connect(host, port, rules).await?;
    let broken = |error: &dyn std::fmt::Display| {
        Failure::new(Class::Connect, format!("no TLS with {}:{port}: {error}", host.url))
    };
    let name = ServerName::try_from(host.name.clone()).map_err(|error| broken(&error))?;
    let config = Judge::new(&Trust::Unverified)?.config(Arc::default(), Arc::default())?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name.clone(), stream).await;
    let stream = stream.map_err(|error| broken(&error))?;
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let leaf = chain.first().ok_or_else(|| broken(&"the server shows no certificate"))?;
    let untrusted = is_public(chain, &name).err().map(|failure| failure.message);
    Ok(Probe { address, fingerprint: Fingerprint::of(leaf), untrusted })
}

/// The first of the host's addresses that takes a connection.
async fn connect(host: &Host, port: u16, rules: &Rules) -> Result<(TcpStream, IpAddr), Failure> {
    let mut last = None;
    for address in host.addresses(rules).await? {
        match TcpStream::connect((address, port)).await {
            Ok(stream) => return Ok((stream, address)),
            Err(error) => last = Some(error),
        }
    }
    let why = last.map(|error| error.to_string()).unwrap_or_default();
    Err(Failure::new(Class::Connect, format!("no connection to {}:{port}: {why}", host.url)))
}
