//! Fingerprints of certificates.
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// The SHA-256 of a certificate in DER. Its text is 32 bytes in upper-case hex with colons between.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

/// A text that is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a SHA-256 fingerprint: 64 hexadecimal digits")]
pub struct NoFingerprint;

impl Fingerprint {
    /// The fingerprint of a certificate.
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }
}

impl FromStr for Fingerprint {
    type Err = NoFingerprint;

    /// Either case, with colons or without.
    fn from_str(text: &str) -> Result<Self, NoFingerprint> {
        let digits = text.trim().bytes().filter(|byte| *byte != b':').collect::<Vec<_>>();
        let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let mut bytes = [0; 32];
        if digits.len() != 2 * bytes.len() {
            return Err(NoFingerprint);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let [high, low] = [pair[0], pair[1]].map(nibble);
            *byte = high.ok_or(NoFingerprint)? << 4 | low.ok_or(NoFingerprint)?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02X}", if i == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_one_fingerprint() {
        let text = Fingerprint::of(b"a certificate").to_string();
        assert_eq!(text.len(), 95);
        for spelling in [text.clone(), text.to_lowercase(), text.replace(':', ""), format!(" {text}\n")] {
            assert_eq!(spelling.parse::<Fingerprint>().expect("a fingerprint").to_string(), text);
        }
        for bad in ["", "AB", &text[3..], &format!("{text}:00"), &text.replace(':', " "), &text.replacen(':', "g", 1)] {
            assert_eq!(bad.parse::<Fingerprint>(), Err(NoFingerprint), "{bad}");
        }
    }
}
