//! What a value must be to be stored: the plugin's lengths, choices and ranges. One place for every door.
use crate::entity::{Kind, address};
use crate::error::{Error, Result};

/// The most characters that a text field holds, as in the plugin; none for the one without a limit.
pub fn longest(kind: Kind, field: &str) -> Option<usize> {
    Some(match (kind, field) {
        (Kind::Storage, "nodes") => return None,
        (Kind::Storage, "storage_type" | "format") | (Kind::Node, "support_level") | (Kind::Tag, _) => 100,
        (Kind::Storage, "preallocation") => 50,
        (Kind::Storage, "monhost" | "prune_backups") | (Kind::NetBoxCluster | Kind::NetBoxDevice, "display") => 512,
        _ => 255,
    })
}

/// A text of a field: not too long, and without NUL, which PostgreSQL cannot hold.
pub fn text(kind: Kind, field: &str, value: &str) -> Result<()> {
    check_text(longest(kind, field), value).map_err(|error| error.within(field))
}

/// A text that must not be blank, such as a name.
pub fn filled(kind: Kind, field: &str, value: &str) -> Result<()> {
    if value.trim().is_empty() {
        return Err(Error::input("must not be blank").within(field));
    }
    text(kind, field, value)
}

fn check_text(longest: Option<usize>, value: &str) -> Result<()> {
    if value.contains('\0') {
        return Err(Error::input("must not contain the character U+0000"));
    }
    let length = value.chars().count();
    match longest {
        Some(longest) if length > longest => {
            Err(Error::input(format!("has {length} characters; at most {longest} are allowed")))
        }
        _ => Ok(()),
    }
}

/// A TCP port, 1–65535.
pub fn port(value: i32) -> Result<()> {
    if (1..=65_535).contains(&value) {
        return Ok(());
    }
    Err(Error::input(format!("is {value}; a port is 1–65535")).within("port"))
}

/// The canonical form of an IP address, IPv4-mapped ones unpacked.
pub fn written_address(value: &str) -> Result<String> {
    address::unpacked(value).ok_or_else(not_an_address)
}

/// The canonical form of an IP address as `load` and filters take it, IPv4-mapped ones kept.
pub fn loaded_address(value: &str) -> Result<String> {
    address::canonical(value).ok_or_else(not_an_address)
}

fn not_an_address() -> Error {
    Error::input("is not an IPv4 or IPv6 address").within("ip_address")
}

/// The SHA-256 fingerprint of a certificate, as 32 colon-separated bytes in upper-case hex.
pub fn fingerprint(value: &str) -> Result<String> {
    let digits = value.chars().filter(|c| *c != ':').collect::<String>().to_ascii_uppercase();
    if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Error::input("is not a SHA-256 fingerprint: 64 hexadecimal digits").within("tls_fingerprint"));
    }
    let bytes = digits.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into_owned());
    Ok(bytes.collect::<Vec<_>>().join(":"))
}

/// A tag's colour: six hexadecimal digits in lower case.
pub fn color(value: &str) -> Result<()> {
    if value.len() == 6 && value.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Ok(());
    }
    Err(Error::input("must be six hexadecimal digits in lower case").within("color"))
}

/// A tag's slug: letters, digits, `-` and `_`.
pub fn slug(value: &str) -> Result<()> {
    filled(Kind::Tag, "slug", value)?;
    if value.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_') {
        return Ok(());
    }
    Err(Error::input("may hold letters, digits, - and _ only").within("slug"))
}
