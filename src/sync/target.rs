//! From an endpoint's row to whom the client asks, and what tells whether that changed.
use crate::app::App;
use crate::client::proxmox::{Class, Client, Credentials, Failure, Fingerprint, Scheme, Target, Trust};
use crate::entity::endpoint;
use crate::error::Result;
use crate::service::endpoint::{Secrets, secrets};
use sha2::{Digest, Sha256};

/// A client of this endpoint, for one run.
pub fn client(app: &App, row: &endpoint::Model) -> Result<std::result::Result<Client, Failure>> {
    Ok(client_with(app, row, secrets(row, &app.sealer)?))
}

/// A client of this endpoint with secrets that are perhaps not stored yet.
pub fn client_with(app: &App, row: &endpoint::Model, secrets: Secrets) -> std::result::Result<Client, Failure> {
    let credentials = match (secrets.token_value, secrets.password) {
        (Some(secret), _) if row.token_name.contains('!') => Credentials::Token { id: row.token_name.clone(), secret },
        (Some(secret), _) => Credentials::Token { id: format!("{}!{}", row.username, row.token_name), secret },
        (None, Some(password)) => Credentials::Password { username: row.username.clone(), password },
        (None, None) => {
            let message = "neither the secret of an API token nor a password is kept for it";
            return Err(Failure::new(Class::Auth, message));
        }
    };
    let (host, port) = place(row);
    let scheme = if is_plain(app, row) { Scheme::Http } else { Scheme::Https };
    let target = Target { scheme, host, port, credentials, trust: trust(row) };
    Client::new(target, &app.settings.sync.client)
}

/// Its host and port.
pub fn place(row: &endpoint::Model) -> (String, u16) {
    (row.host().unwrap_or_default().to_owned(), u16::try_from(row.port).unwrap_or_default())
}

/// Whether the operator lets it be asked without TLS.
pub fn is_plain(app: &App, row: &endpoint::Model) -> bool {
    let (host, port) = place(row);
    app.settings.sync.http_hosts.iter().any(|allowed| *allowed == format!("{host}:{port}"))
}

/// The fingerprints that are pinned.
pub fn pins(row: &endpoint::Model) -> Vec<Fingerprint> {
    let pins = row.tls_fingerprint.as_deref().unwrap_or_default().split(',');
    pins.filter_map(|pin| pin.parse().ok()).collect()
}

/// Which certificates are believed: pinned ones go first, then those of given authorities, then the system's.
pub fn trust(row: &endpoint::Model) -> Trust {
    let pins = pins(row);
    match (&row.tls_ca, row.verify_ssl) {
        _ if !pins.is_empty() => Trust::Pins(pins),
        (Some(ca), true) => Trust::Ca(ca.clone()),
        (None, true) => Trust::System,
        (_, false) => Trust::Unverified,
    }
}

/// Whether any certificate is believed, so that whoever sits between can read the credentials.
pub fn is_unverified(row: &endpoint::Model) -> bool {
    matches!(trust(row), Trust::Unverified)
}

/// What the credentials are told apart by. Sealing the same secret again gives another text, so that sending it again
/// counts as a change, which is what an operator means by it.
pub fn credentials_mark(row: &endpoint::Model) -> String {
    let parts = [
        row.host().unwrap_or_default(),
        &row.port.to_string(),
        &row.username,
        &row.token_name,
        row.token_value.as_deref().unwrap_or_default(),
        row.password.as_deref().unwrap_or_default(),
        row.tls_fingerprint.as_deref().unwrap_or_default(),
    ];
    let digest = Sha256::digest(parts.join("\0").as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
