//! What went wrong on the way to a server: a class for programs, and words for people.
use super::fingerprint::Fingerprint;
use std::fmt;

/// The most characters of a message.
const LONGEST: usize = 400;

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub class: Class,
    /// The path of the API that was called, such as `/cluster/status`; none before any call.
    pub path: Option<String>,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// For people: one line of at most 400 characters, without secrets.
    pub message: String,
}

/// Which kind of failure it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// The name has no address.
    Dns,
    /// No connection, or one that broke.
    Connect,
    /// The address, or plain HTTP, is not allowed.
    Address,
    /// The certificate is not trusted.
    TlsUntrusted,
    /// The certificate is another than the pinned ones.
    TlsFingerprintChanged { pinned: Vec<Fingerprint>, presented: Fingerprint },
    /// The credentials are wrong, expired or not enough to log in.
    Auth,
    /// The credentials are right and lack a privilege.
    Permission {
        /// Where the privilege is missing, or the path of the API if the server does not say.
        path: String,
        /// Which one; empty if the server does not say, as NetBox never does.
        privilege: String,
    },
    /// Something else answers where Proxmox should.
    NotProxmox,
    /// Something else answers where NetBox should.
    NotNetBox,
    /// It answers, and is not well: pmxcfs, name resolution, a node that cannot be reached, a server that is overloaded.
    Degraded,
    /// No answer in time.
    Timeout,
    /// An answer that cannot be used.
    Protocol,
}

impl Class {
    /// The name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Address => "address",
            Self::TlsUntrusted => "tls_untrusted",
            Self::TlsFingerprintChanged { .. } => "tls_fingerprint_changed",
            Self::Auth => "auth",
            Self::Permission { .. } => "permission",
            Self::NotProxmox => "not_proxmox",
            Self::NotNetBox => "not_netbox",
            Self::Degraded => "degraded",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
        }
    }
}

impl Failure {
    /// A failure with these words, made fit for one line.
    pub fn new(class: Class, message: impl AsRef<str>) -> Self {
        Self { class, path: None, status: None, message: line(message.as_ref(), LONGEST) }
    }

    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{path}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Failure {}

/// What others wrote, as one line that does no harm: without control characters, NUL and what turns the direction of
/// text, and cut.
pub(super) fn line(text: &str, longest: usize) -> String {
    let harmless =
        |c: &char| !c.is_control() && !matches!(c, '\u{200e}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    let blank = |c: char| if c.is_whitespace() { ' ' } else { c };
    let mut clean = text.chars().map(blank).filter(harmless);
    let mut line = clean.by_ref().take(longest).collect::<String>();
    if clean.next().is_some() {
        line.pop();
        line.push('…');
    }
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_harmless_and_short() {
        assert_eq!(line("got\ttimeout\r\n\0\u{1b}[31m\u{202e}", 100), "got timeout  [31m");
        assert_eq!(line("äöüß", 3), "äö…");
        assert_eq!(line("äöü", 3), "äöü");
        assert!(Failure::new(Class::Protocol, "x".repeat(10_000)).message.chars().count() <= LONGEST);
    }
}
