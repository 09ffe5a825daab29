//! From the header of a request to a [`Principal`]. REST and GraphQL word the refusals differently, so this room only
//! says which one it is.
mod throttle;

pub use throttle::block;

use crate::app::App;
use crate::entity;
use crate::error::Result;
use crate::metrics::Reason;
use crate::principal::{Permission, Principal};
use crate::service::token::{self, Plain};
use axum::http::{HeaderMap, header};
use chrono::Utc;
use std::net::IpAddr;
use throttle::Attempt;

/// Why somebody is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// No credentials, or of a scheme that is not ours.
    Missing,
    /// The header cannot be read.
    Malformed,
    /// The prefix is that of a v2 token, but there is no point behind its key.
    NoKey,
    /// No such v1 token.
    InvalidV1,
    /// No such v2 token.
    InvalidV2,
    Expired,
    Disabled,
    /// The token may not be used from this address.
    Address(IpAddr),
    /// More requests, or more failed attempts, than the operator allows; after so many seconds it may be tried again.
    Throttled {
        seconds: u64,
    },
}

impl Denied {
    /// In a word, for the operator's figures; none if there were no credentials that were refused.
    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Missing | Self::Throttled { .. } => None,
            Self::Malformed | Self::NoKey => Some("malformed"),
            Self::InvalidV1 | Self::InvalidV2 => Some("unknown"),
            Self::Expired => Some("expired"),
            Self::Disabled => Some("disabled"),
            Self::Address(_) => Some("address"),
        }
    }
}

/// Who sends this request. Without a token nobody, unless the server lets everybody read.
pub async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    peer: IpAddr,
) -> Result<std::result::Result<Principal, Denied>> {
    let value = match credentials(headers) {
        Err(Denied::Missing) if app.settings.anonymous_read => return Ok(Ok(Principal::anonymous())),
        // Nothing is asked and nothing is tried.
        Err(Denied::Missing) => return Ok(Err(Denied::Missing)),
        value => value.and_then(plain),
    };
    let attempt = match Attempt::begin(app, peer, value.as_ref().ok().copied())? {
        Ok(attempt) => attempt,
        Err(denied) => return Ok(Err(denied)),
    };
    let found = match value {
        Ok(plain) => find(app, plain, peer).await?,
        Err(denied) => Err(denied),
    };
    let row = match found {
        Ok(row) => row,
        Err(denied) => {
            attempt.fail();
            if let Some(reason) = denied.reason() {
                app.metrics.denied.get_or_create(&Reason { reason }).inc();
            }
            return Ok(Err(denied));
        }
    };
    if let Err(denied) = attempt.succeed(row.id) {
        return Ok(Err(denied));
    }
    if token::is_stale(&row) {
        app.note_use(row.id);
    }
    let permissions = Permission::parse_all(&row.permissions.0)?;
    Ok(Ok(Principal::new(format!("token:{}", row.name), permissions, row.write_enabled)))
}

/// The token of these credentials, if it may be used from here and now.
async fn find(app: &App, plain: Plain<'_>, peer: IpAddr) -> Result<std::result::Result<entity::token::Model, Denied>> {
    let Some(row) = token::find(&app.db, &app.pepper, plain).await? else {
        return Ok(Err(if plain.key().is_some() { Denied::InvalidV2 } else { Denied::InvalidV1 }));
    };
    // The order of the checks is NetBox's.
    Ok(if !allowed(&row.allowed_ips.0, peer) {
        Err(Denied::Address(peer))
    } else if !row.enabled {
        Err(Denied::Disabled)
    } else if row.expires.is_some_and(|expires| expires <= Utc::now()) {
        Err(Denied::Expired)
    } else {
        Ok(row)
    })
}

/// The token in the header. The keyword only has to be one of ours; the prefix of the value decides the version.
fn credentials(headers: &HeaderMap) -> std::result::Result<&str, Denied> {
    let Some(header) = headers.get(header::AUTHORIZATION) else { return Err(Denied::Missing) };
    // What is no text is of no scheme that is known here.
    let text = header.to_str().map_err(|_| Denied::Missing)?.trim();
    let mut words = text.split_ascii_whitespace();
    match words.next() {
        Some(word) if word.eq_ignore_ascii_case("token") || word.eq_ignore_ascii_case("bearer") => {}
        _ => return Err(Denied::Missing),
    }
    match (words.next(), words.next()) {
        (Some(value), None) => Ok(value),
        _ => Err(Denied::Malformed),
    }
}

/// The value as that of a token.
fn plain(value: &str) -> std::result::Result<Plain<'_>, Denied> {
    let is_v2 = value.starts_with("nbt_");
    match Plain::parse(value) {
        Some(plain) => Ok(plain),
        None if is_v2 && !value.contains('.') => Err(Denied::NoKey),
        None => Err(if is_v2 { Denied::InvalidV2 } else { Denied::InvalidV1 }),
    }
}

/// No network named means any; a list that cannot be read allows none.
fn allowed(networks: &serde_json::Value, peer: IpAddr) -> bool {
    let Some(networks) = networks.as_array() else { return false };
    let peer = peer.to_canonical();
    networks.is_empty()
        || networks.iter().any(|network| {
            network.as_str().and_then(token::parse_network).is_some_and(|network| network.contains(&peer))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read_as_netbox_reads_it() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, text.parse().expect("a header"));
            credentials(&headers).map(str::to_owned)
        };
        for text in ["Token abc", "bearer abc", "TOKEN   abc "] {
            assert_eq!(read(text), Ok("abc".into()), "{text}");
        }
        assert_eq!(read("Basic abc"), Err(Denied::Missing));
        assert_eq!(read("Token"), Err(Denied::Malformed));
        assert_eq!(read("Token a b"), Err(Denied::Malformed));
        assert_eq!(credentials(&HeaderMap::new()), Err(Denied::Missing));
    }

    #[test]
    fn addresses_are_held_against_the_networks() {
        let lists = [
            (serde_json::json!([]), true),
            (serde_json::json!(["10.0.0.0/8"]), true),
            (serde_json::json!(["192.0.2.1", "10.1.2.3"]), true),
            (serde_json::json!(["10.99.0.0/16"]), false),
            (serde_json::json!(["nonsense"]), false),
            (serde_json::json!(null), false),
        ];
        for (list, expected) in lists {
            for peer in ["10.1.2.3", "::ffff:10.1.2.3"] {
                assert_eq!(allowed(&list, peer.parse().expect("an address")), expected, "{list}");
            }
        }
    }
}
