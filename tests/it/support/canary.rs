//! Secrets that a test plants, and a look for them in whatever the program says, however they are written there.
use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use regex::bytes::Regex;
use std::collections::BTreeSet;

/// The ways in which a secret could be written down: plain, in JSON, in base64 of either alphabet at any of its three
/// positions, in hexadecimal digits and URL-encoded, from the few characters that must be to all of them.
pub fn forms(secret: &str) -> BTreeSet<String> {
    let bytes = secret.as_bytes();
    let hex = |before: &str| bytes.iter().map(|b| format!("{before}{b:02x}")).collect::<String>();
    let encoded = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    // What encoders leave as it is: nothing, forms, RFC 3986, JavaScript, users of URLs.
    let left = ["", "-_.*", "-_.~", "-_.!~*'()", "-_.~!$&'()*+,"];
    let encoded = left.map(|left| {
        left.chars().fold(encoded.clone(), |text, c| text.replace(&format!("%{:02X}", u32::from(c)), &c.to_string()))
    });
    let blanks = encoded.iter().map(|text| text.replace("%20", "+"));
    let json = serde_json::to_string(secret).unwrap();
    let json = json[1..json.len() - 1].to_owned();
    let escaped = json.chars().map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", c as u32) });
    let mut forms = BTreeSet::from([secret.to_owned(), escaped.collect(), json]);
    for text in blanks.chain(encoded.iter().cloned()).chain([hex(""), hex("%")]) {
        forms.insert(upper_hex(&text));
        forms.insert(lower_hex(&text));
    }
    for before in 0..3 {
        // The first and last digits may hold bits of what is around.
        let first = (before * 8_usize).div_ceil(6);
        let last = (before + bytes.len()) * 8 / 6;
        let text = [&[b' '][..].repeat(before), bytes].concat();
        for alphabet in [BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD] {
            forms.insert(alphabet.encode(&text)[first..last].to_owned());
        }
    }
    forms
}

/// The digits of `%2f` or of a text that has nothing else; other letters stay.
fn upper_hex(text: &str) -> String {
    digits(text, str::to_uppercase)
}

fn lower_hex(text: &str) -> String {
    digits(text, str::to_lowercase)
}

fn digits(text: &str, case: impl Fn(&str) -> String) -> String {
    if text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return case(text);
    }
    let mut parts = text.split('%');
    let mut all = parts.next().unwrap().to_owned();
    for part in parts {
        all += &format!("%{}{}", case(&part[..2]), &part[2..]);
    }
    all
}

/// Planted secrets by what they are, to be looked for.
pub struct Canaries {
    planted: Vec<(&'static str, String)>,
    any: Regex,
}

impl Canaries {
    pub fn new(planted: &[(&'static str, &str)]) -> Self {
        let forms = planted.iter().flat_map(|(_, secret)| forms(secret)).map(|form| regex::escape(&form));
        let any = Regex::new(&forms.collect::<Vec<_>>().join("|")).unwrap();
        Self { planted: planted.iter().map(|(what, secret)| (*what, (*secret).to_owned())).collect(), any }
    }

    /// Which secret stands in these bytes, and how.
    pub fn found(&self, bytes: &[u8]) -> Option<(&'static str, String)> {
        let found = String::from_utf8(self.any.find(bytes)?.as_bytes().to_vec()).unwrap();
        let (what, _) = self.planted.iter().find(|(_, secret)| forms(secret).contains(&found)).unwrap();
        Some((what, found))
    }

    /// Fails if any of them stands there.
    #[track_caller]
    pub fn look(&self, place: &str, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        if let Some((what, form)) = self.found(bytes) {
            let text = String::from_utf8_lossy(bytes);
            let at = text.find(&form).unwrap_or_default();
            let near = text.char_indices().filter(|(i, _)| i + 200 > at && *i < at + form.len() + 100);
            panic!("{place} tells {what} as {form}: …{}…", near.map(|(_, c)| c).collect::<String>());
        }
    }
}

#[test]
fn a_planted_secret_is_found_however_it_is_written() {
    let secrets = [("plain", "canary-of-a-key"), ("odd", "cän/ary +\"1&=?\\~")];
    let canaries = Canaries::new(&secrets);
    for (what, secret) in secrets {
        let mut planted = vec![secret.to_owned(), serde_json::json!({ "x": secret }).to_string()];
        let bytes = |write: &dyn Fn(u8) -> String| secret.bytes().map(write).collect::<String>();
        planted.extend([bytes(&|b| format!("{b:02x}")), bytes(&|b| format!("{b:02X}"))]);
        planted.extend([bytes(&|b| format!("%{b:02x}")), bytes(&|b| format!("%{b:02X}"))]);
        let mut url = reqwest::Url::parse("http://x/").unwrap();
        url.query_pairs_mut().append_pair("password", secret);
        url.set_username(secret).unwrap();
        planted.extend([
            url.to_string(),
            url.query().unwrap().to_owned(),
            utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        ]);
        for before in ["", "a", "ab", "abc"] {
            for after in ["", "z", "yz", "xyz"] {
                let text = format!("{before}{secret}{after}");
                planted.extend([BASE64_STANDARD_NO_PAD.encode(&text), BASE64_URL_SAFE_NO_PAD.encode(&text)]);
            }
        }
        for text in planted {
            let around = format!("\u{1}noise {text}, and more");
            assert_eq!(canaries.found(around.as_bytes()).map(|(what, _)| what), Some(what), "{text}");
        }
    }
    for noise in ["", "canary", "canary-of-a-ke", "Y2FuYXJ5", "63616e617279", "%63%61"] {
        assert_eq!(canaries.found(noise.as_bytes()), None, "{noise}");
    }
}
