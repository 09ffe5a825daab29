//! Credentials: an API token, or a password that becomes a ticket.
use super::reply::{self, Envelope};
use super::scalar::flag;
use crate::client::failure::{Class, Failure};
use crate::client::wire::{Ask, Broken, Wires};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Proxmox reads a token up to `;` and decodes it then.
const TOKEN: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%').add(b';');
/// What may stand in a cookie as it is.
const COOKIE_VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const PATH: &str = "/access/ticket";

/// Who logs in.
#[derive(Clone, Debug)]
pub enum Credentials {
    Token {
        /// `user@realm!name`.
        id: String,
        secret: SecretString,
    },
    Password {
        /// `user@realm`.
        username: String,
        password: SecretString,
    },
}

/// Credentials, and the ticket that they got.
#[derive(Debug)]
pub(super) struct Login {
    credentials: Credentials,
    /// The age from which a ticket is renewed.
    renewed_after: Duration,
    ticket: Mutex<Option<Ticket>>,
    /// One logs in at a time; others take the ticket that came of it.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug)]
struct Ticket {
    text: SecretString,
    since: Instant,
}

impl Login {
    pub fn new(credentials: Credentials, renewed_after: Duration) -> Self {
        Self { credentials, renewed_after, ticket: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// The header of a request. Never both: if a cookie is there, Proxmox does not look at a token.
    pub async fn headers(&self, wires: &Wires) -> Result<HeaderMap, Broken> {
        match &self.credentials {
            Credentials::Token { id, secret } => {
                let token = format!("{id}={}", secret.expose_secret());
                header(AUTHORIZATION, &format!("PVEAPIToken={}", utf8_percent_encode(&token, TOKEN)))
            }
            Credentials::Password { username, password } => {
                let ticket = self.ticket(username, password, wires).await?;
                let ticket = utf8_percent_encode(ticket.text.expose_secret(), COOKIE_VALUE).to_string();
                header(COOKIE, &format!("PVEAuthCookie={ticket}"))
            }
        }
    }

    /// Whether logging in anew may help when these headers were refused; the ticket in them is used no more.
    pub fn renews(&self, refused: &HeaderMap) -> bool {
        let mut ticket = self.ticket.lock().unwrap_or_else(PoisonError::into_inner);
        let is_current = |ticket: &Ticket| {
            let text = utf8_percent_encode(ticket.text.expose_secret(), COOKIE_VALUE).to_string();
            refused.get(COOKIE).is_some_and(|cookie| cookie.as_bytes().ends_with(text.as_bytes()))
        };
        if ticket.as_ref().is_some_and(is_current) {
            *ticket = None;
        }
        matches!(self.credentials, Credentials::Password { .. })
    }

    /// A text without the secrets, which a server may have sent back.
    pub fn redacted(&self, text: &str) -> String {
        let (Credentials::Token { secret, .. } | Credentials::Password { password: secret, .. }) = &self.credentials;
        let ticket = self.held().map(|ticket| ticket.text);
        let secrets = [Some(secret), ticket.as_ref()].into_iter().flatten().map(|secret| secret.expose_secret());
        let mut text = text.to_owned();
        for secret in secrets.filter(|secret| !secret.is_empty()) {
            let encoded = utf8_percent_encode(secret, COOKIE_VALUE).to_string();
            text = text.replace(secret, "***").replace(&encoded, "***");
        }
        text
    }

    fn held(&self) -> Option<Ticket> {
        self.ticket.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The ticket, a new one if there is none or it is old.
    async fn ticket(&self, username: &str, password: &SecretString, wires: &Wires) -> Result<Ticket, Broken> {
        let _turn = self.turn.lock().await;
        let got = match self.held() {
            Some(ticket) if ticket.since.elapsed() < self.renewed_after => return Ok(ticket),
            // A ticket is good as a password. If it is not any more, the password is.
            Some(ticket) => match log_in(username, &ticket.text, wires).await {
                Err(broken) if broken.failure.class == Class::Auth => log_in(username, password, wires).await?,
                renewed => renewed?,
            },
            None => log_in(username, password, wires).await?,
        };
        *self.ticket.lock().unwrap_or_else(PoisonError::into_inner) = Some(got.clone());
        Ok(got)
    }
}

/// Gets a ticket.
async fn log_in(username: &str, password: &SecretString, wires: &Wires) -> Result<Ticket, Broken> {
    let ask = Ask { path: super::below(PATH), headers: HeaderMap::new(), form: Some(form(username, password)) };
    let since = Instant::now();
    let answer = wires.ask(&ask).await?;
    let Envelope { data, .. } = reply::envelope(&answer, wires.is_plain()).map_err(|broken| {
        // Only GETs are repeated.
        Broken::for_good(broken.failure)
    })?;
    let ticket = data.get("ticket").and_then(serde_json::Value::as_str);
    if data.get("NeedTFA").and_then(flag) == Some(true) || ticket.is_some_and(|ticket| ticket.contains(":!tfa!")) {
        let message = "this user needs a two-factor login, which a service cannot do: use an API token";
        return Err(Broken::for_good(Failure::new(Class::Auth, message)));
    }
    let Some(ticket) = ticket.filter(|ticket| !ticket.is_empty()) else {
        return Err(Broken::for_good(Failure::new(Class::NotProxmox, "the login's answer holds no ticket")));
    };
    Ok(Ticket { text: ticket.into(), since })
}

fn form(username: &str, password: &SecretString) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("username", username).append_pair("password", password.expose_secret()).finish()
}

/// One header, which is never shown.
fn header(name: HeaderName, value: &str) -> Result<HeaderMap, Broken> {
    let wrong =
        |_| Broken::for_good(Failure::new(Class::Auth, "the credentials have characters that no header may have"));
    let mut value = HeaderValue::from_str(value).map_err(wrong)?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(name, value)]))
}
