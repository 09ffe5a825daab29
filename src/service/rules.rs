//! What a value must be to be stored: the plugin's lengths, choices and ranges, in NetBox's words. One place for every
//! door.
use crate::entity::{Kind, address};
use crate::error::{Code, Problem};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::ops::RangeInclusive;

type Rule<T = ()> = Result<T, Problem>;

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

/// A field that must be there.
pub fn required(field: &str) -> Problem {
    Problem::new(Code::Required, field, "This field is required.")
}

/// A field that may be left out, but not be null.
pub fn not_null(field: &str) -> Problem {
    Problem::new(Code::Required, field, "This field may not be null.")
}

/// A text that must not be empty.
pub fn blank(field: &str) -> Problem {
    Problem::new(Code::Required, field, "This field may not be blank.")
}

/// A text of a field: not too long, and without NUL, which PostgreSQL cannot hold.
pub fn text(kind: Kind, field: &str, value: &str) -> Rule {
    if value.contains('\0') {
        return Err(Problem::new(Code::Invalid, field, "Null characters are not allowed."));
    }
    match longest(kind, field) {
        Some(longest) if value.chars().count() > longest => {
            let message = format!("Ensure this field has no more than {longest} characters.");
            Err(Problem::new(Code::TooLong, field, message))
        }
        _ => Ok(()),
    }
}

/// A text that must not be blank, such as a name.
pub fn filled(kind: Kind, field: &str, value: &str) -> Rule {
    if value.trim().is_empty() {
        return Err(blank(field));
    }
    text(kind, field, value)
}

/// A whole number within bounds.
pub fn within(field: &str, value: i64, range: RangeInclusive<i64>) -> Rule {
    let message = match value {
        _ if range.contains(&value) => return Ok(()),
        _ if value < *range.start() => format!("Ensure this value is greater than or equal to {}.", range.start()),
        _ => format!("Ensure this value is less than or equal to {}.", range.end()),
    };
    Err(Problem::new(Code::OutOfRange, field, message))
}

/// A TCP port, 1–65535.
pub fn port(value: i64) -> Rule {
    within("port", value, 1..=65_535)
}

/// A number with a fraction: JSON knows neither NaN nor infinity.
pub fn finite(field: &str, value: f64) -> Rule {
    if value.is_finite() {
        return Ok(());
    }
    Err(Problem::new(Code::Invalid, field, "A valid number is required."))
}

/// The canonical form of an IP address, IPv4-mapped ones unpacked.
pub fn written_address(value: &str) -> Rule<String> {
    address::unpacked(value.trim()).ok_or_else(not_an_address)
}

/// The canonical form of an IP address as `load` and filters take it, IPv4-mapped ones kept.
pub fn loaded_address(value: &str) -> Rule<String> {
    address::canonical(value).ok_or_else(not_an_address)
}

fn not_an_address() -> Problem {
    Problem::new(Code::Invalid, "ip_address", "Enter a valid IPv4 or IPv6 address.")
}

/// A host name as it may stand in a URL: no scheme, port or path.
pub fn host_name(field: &str, value: &str) -> Rule {
    if value.contains(|c: char| c.is_whitespace() || c.is_control() || "/:@?#[]\\%".contains(c)) {
        let message = "must be an IP address or a domain name, without scheme, port and path";
        return Err(Problem::new(Code::Invalid, field, message));
    }
    Ok(())
}

/// The SHA-256 fingerprints of the certificates to accept, one or several separated by commas, each as 32
/// colon-separated bytes in upper-case hex.
pub fn fingerprint(value: &str) -> Rule<String> {
    let each = value.split(',').map(one_fingerprint).collect::<Rule<Vec<_>>>()?;
    Ok(each.join(","))
}

fn one_fingerprint(value: &str) -> Rule<String> {
    let digits = value.trim().chars().filter(|c| *c != ':').collect::<String>().to_ascii_uppercase();
    if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        let message = "is not a SHA-256 fingerprint: 64 hexadecimal digits";
        return Err(Problem::new(Code::Invalid, "tls_fingerprint", message));
    }
    let bytes = digits.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into_owned());
    Ok(bytes.collect::<Vec<_>>().join(":"))
}

/// Certificates of authorities as PEM text, at most 64 KiB.
pub fn certificates(value: &str) -> Rule<String> {
    const LONGEST: usize = 64 << 10;
    let wrong = |message: &str| Problem::new(Code::Invalid, "tls_ca", message);
    if value.len() > LONGEST {
        return Err(Problem::new(Code::TooLong, "tls_ca", "must have at most 65536 bytes"));
    }
    let found = CertificateDer::pem_slice_iter(value.as_bytes()).collect::<Result<Vec<_>, _>>();
    match found {
        Ok(found) if found.is_empty() => Err(wrong("holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")),
        // Nothing but the certificates is kept: no private key that came along, no comments.
        Ok(found) => Ok(found.iter().map(|certificate| pem(certificate)).collect()),
        Err(_) => Err(wrong("is not PEM text that can be read")),
    }
}

/// The PEM text of a certificate.
fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n");
    format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
}

/// Seconds between two runs of sync: 0 for never, else from 10 (Proxmox has new figures every ten seconds) to a week.
pub fn interval(value: i32) -> Rule<i32> {
    if value != 0 {
        within("sync_interval", value.into(), 10..=604_800)?;
    }
    Ok(value)
}

/// A tag's colour: six hexadecimal digits in lower case.
pub fn color(value: &str) -> Rule {
    if value.len() == 6 && value.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Ok(());
    }
    Err(Problem::new(Code::Invalid, "color", "must be six hexadecimal digits in lower case"))
}

/// A tag's slug: letters, digits, `-` and `_`.
pub fn slug(value: &str) -> Rule {
    filled(Kind::Tag, "slug", value)?;
    if value.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_') {
        return Ok(());
    }
    Err(Problem::new(Code::Invalid, "slug", "may hold letters, digits, - and _ only"))
}
