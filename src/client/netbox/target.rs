//! Where NetBox is, and the token that is sent there.
use crate::client::trust::{Judge, Trust};
use crate::client::wire::Answer;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

/// What tokens of the second kind (NetBox 4.5 and newer) begin with.
const SECOND: &str = "nbt_";

/// Which NetBox to ask, with which token, and what to believe.
#[derive(Clone, Debug)]
pub struct Target {
    /// http or https, with the path under which NetBox lies, if it is not the root.
    pub url: Url,
    pub token: SecretString,
    /// Of no matter over HTTP.
    pub trust: Trust,
}

impl Target {
    /// Reads what an operator wrote. A trailing `/api` or `/api/` is taken off. Fails with one line for the operator,
    /// which shows neither the token nor the address, since a password could stand in it.
    pub fn parse(url: &str, token: SecretString, ca_pem: Option<String>) -> Result<Self, String> {
        let url = url.trim();
        if url.is_empty() {
            return Err("the address of NetBox is empty".into());
        }
        let parsed = Url::parse(url).map_err(|error| format!("the address of NetBox cannot be read: {error}"))?;
        let (url, _) = base(parsed)?;
        Token::new(&token)?;
        let trust = ca_pem.map_or(Trust::System, Trust::Ca);
        if let Trust::Ca(_) = &trust {
            Judge::new(&trust).map_err(|failure| failure.message)?;
        }
        Ok(Self { url, token, trust })
    }
}

/// The address with a slash at its end and without `api/`, and its host without brackets.
pub(super) fn base(mut url: Url) -> Result<(Url, String), String> {
    if !["http", "https"].contains(&url.scheme()) {
        return Err("the address of NetBox needs http:// or https:// in front".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the address of NetBox must not hold a user or a password: only its token is used".into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("the address of NetBox must not hold a query (?) or a fragment (#)".into());
    }
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/api").unwrap_or(path).trim_end_matches('/').to_owned();
    url.set_path(&format!("{path}/"));
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
    Ok((url, host))
}

/// A token that can be sent.
pub(super) struct Token {
    /// Without white space around it.
    text: SecretString,
    header: HeaderValue,
}

impl Token {
    /// Fails, without showing it, if it cannot be a token.
    pub fn new(text: &SecretString) -> Result<Self, String> {
        let text = text.expose_secret().trim();
        if text.is_empty() {
            return Err("the token of NetBox is empty".into());
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = "the token of NetBox has characters that no token has; give it alone, without a word like \
                           “Token” or “Bearer”";
            return Err(message.into());
        }
        let keyword = if text.starts_with(SECOND) { "Bearer" } else { "Token" };
        let header = HeaderValue::from_str(&format!("{keyword} {text}"));
        let mut header = header.map_err(|_| "the token of NetBox has characters that no header may have")?;
        header.set_sensitive(true);
        Ok(Self { text: text.into(), header })
    }

    pub fn header(&self) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, self.header.clone())])
    }

    /// A text without the token, which a server may have sent back. Of the second kind the secret part alone is as good
    /// as the whole.
    pub fn redacted(&self, text: &str) -> String {
        let token = self.text.expose_secret();
        let secret = token.strip_prefix(SECOND).and_then(|rest| rest.split_once('.')).map_or("", |(_, secret)| secret);
        let parts = [token, secret].into_iter().filter(|part| !part.is_empty());
        parts.fold(text.to_owned(), |text, part| text.replace(part, "***"))
    }

    /// An answer that can be shown.
    pub fn cleaned(&self, answer: Answer) -> Answer {
        Answer {
            reason: self.redacted(&answer.reason),
            content_type: self.redacted(&answer.content_type),
            location: answer.location.map(|location| self.redacted(&location)),
            body: self.redacted(&String::from_utf8_lossy(&answer.body)).into_bytes(),
            ..answer
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> Result<String, String> {
        Target::parse(url, "t0ken".into(), None).map(|target| target.url.to_string())
    }

    #[test]
    fn addresses_are_brought_into_one_form() {
        for (given, read) in [
            ("https://netbox.example.com", "https://netbox.example.com/"),
            (" https://netbox.example.com/api/ \n", "https://netbox.example.com/"),
            ("https://netbox.example.com:443/api", "https://netbox.example.com/"),
            ("http://127.0.0.1:8000/netbox", "http://127.0.0.1:8000/netbox/"),
            ("https://tools.example.com/netbox/api/", "https://tools.example.com/netbox/"),
            ("https://tools.example.com/myapi//", "https://tools.example.com/myapi/"),
            ("HTTPS://[2001:DB8::1]/", "https://[2001:db8::1]/"),
        ] {
            assert_eq!(parsed(given).as_deref(), Ok(read), "{given}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_showing_it() {
        for bad in [
            "",
            "netbox.example.com",
            "localhost:8000",
            "ftp://netbox.example.com",
            "https://",
            "https://user:canary@netbox.example.com",
            "https://canary@netbox.example.com",
            "https://user:canary@[bad",
            "https://netbox.example.com/?token=canary",
            "https://netbox.example.com/#canary",
        ] {
            let refused = parsed(bad).expect_err(bad);
            assert!(!refused.contains("canary") && !refused.contains('\n'), "{bad}: {refused}");
        }
    }

    #[test]
    fn tokens_are_known_by_their_beginning_and_never_shown() {
        let keyword = |text: &str| {
            let header = Token::new(&text.into()).expect("a token").header;
            header.to_str().expect("text").to_owned()
        };
        assert_eq!(keyword(" 0123abcd\n"), "Token 0123abcd");
        assert_eq!(keyword("nbt_key.secret"), "Bearer nbt_key.secret");
        for bad in ["", " \n", "Token canary", "can\0ary", "can\nary", "canäry"] {
            let refused = Token::new(&bad.into()).err().expect("refused");
            assert!(!refused.contains("can"), "{refused}");
        }
        let token = Token::new(&"nbt_key.secret".into()).expect("a token");
        assert_eq!(token.redacted("a nbt_key.secret b secret c nbt_key"), "a *** b *** c nbt_key");
        let target = Target::parse("https://h/", "canary".into(), None).expect("a target");
        assert!(!format!("{target:?}").contains("canary"));
    }
}
