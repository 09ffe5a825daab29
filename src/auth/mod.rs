//! From the header of a request to a [`Principal`]. REST and GraphQL word the refusals differently, so this room only
//! says which one it is.
use crate::app::App;
use crate::error::Result;
use crate::principal::{Permission, Principal};
use crate::service::token::{self, Plain};
use axum::http::{HeaderMap, header};
use chrono::Utc;
use std::net::IpAddr;

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
}

/// Who sends this request. Without a token nobody, unless the server lets everybody read.
pub async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    peer: IpAddr,
) -> Result<std::result::Result<Principal, Denied>> {
    let value = match credentials(headers) {
        Ok(value) => value,
        Err(Denied::Missing) if app.settings.anonymous_read => return Ok(Ok(Principal::anonymous())),
        Err(denied) => return Ok(Err(denied)),
    };
    if value.starts_with("nbt_") && !value.contains('.') {
        return Ok(Err(Denied::NoKey));
    }
    let Some(plain) = Plain::parse(value) else { return Ok(Err(unknown(value))) };
    let Some(row) = token::find(&app.db, &app.pepper, plain).await? else { return Ok(Err(unknown(value))) };
    // The order of the checks is NetBox's.
    if !allowed(&row.allowed_ips.0, peer) {
        return Ok(Err(Denied::Address(peer)));
    }
    if !row.enabled {
        return Ok(Err(Denied::Disabled));
    }
    if row.expires.is_some_and(|expires| expires <= Utc::now()) {
        return Ok(Err(Denied::Expired));
    }
    if token::is_stale(&row) {
        app.note_use(row.id);
    }
    let permissions = Permission::parse_all(&row.permissions.0)?;
    Ok(Ok(Principal::new(format!("token:{}", row.name), permissions, row.write_enabled)))
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

fn unknown(value: &str) -> Denied {
    if value.starts_with("nbt_") { Denied::InvalidV2 } else { Denied::InvalidV1 }
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
