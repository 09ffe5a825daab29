//! The clients against servers that are told what to do wrong: here Proxmox VE, in `netbox` NetBox.
mod answers;
mod connections;
mod errors;
mod hostile;
mod login;
mod netbox;
mod retries;
mod tls;

use crate::support::pve::{PASSWORD, Pve, TOKEN_ID, TOKEN_SECRET, USERNAME};
use proxbox_graphql::client::proxmox::{Client, Credentials, Failure, Rules, Scheme, Target, Trust};
use std::time::Duration;

/// Rules under which tests are quick, and this machine may be connected to.
pub fn rules() -> Rules {
    Rules {
        allow_http: true,
        allow_loopback: true,
        retry_base: Duration::from_millis(2),
        connect: Duration::from_secs(5),
        ..Rules::default()
    }
}

pub fn token() -> Credentials {
    Credentials::Token { id: TOKEN_ID.into(), secret: TOKEN_SECRET.into() }
}

pub fn password() -> Credentials {
    Credentials::Password { username: USERNAME.into(), password: PASSWORD.into() }
}

pub fn pin(pve: &Pve) -> Trust {
    Trust::Pins(vec![pve.fingerprint().parse().unwrap()])
}

/// A server as its client should be told.
pub fn target(pve: &Pve) -> Target {
    Target { scheme: Scheme::Https, host: "127.0.0.1".into(), port: pve.port(), credentials: token(), trust: pin(pve) }
}

pub fn client(pve: &Pve) -> Client {
    Client::new(target(pve), &rules()).unwrap()
}

/// A client with other rules.
pub fn client_within(pve: &Pve, rules: Rules) -> Client {
    Client::new(target(pve), &rules).unwrap()
}

pub fn code<T>(result: &Result<T, Failure>) -> &'static str {
    result.as_ref().err().map_or("ok", |failure| failure.class.code())
}
