//! Media types: which one the answer has (`Accept`, by RFC 9110), and whether the body of a
//! request is one we read (`Content-Type`). And what the client wants to be told besides (`Prefer`).

use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The media type of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaType {
    /// `application/graphql-response+json`: the status tells how the request fared.
    GraphqlResponse,
    /// `application/json`: 200 for every well-formed request, since clients may take any
    /// other status for something a proxy said.
    Json,
}

impl MediaType {
    /// The value for the answer's `Content-Type`.
    #[must_use]
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }
}

/// The media type the client prefers; `None` if it takes neither. On a tie the one that is named
/// wins (of two named ones `application/graphql-response+json`), and wildcards give JSON.
#[must_use]
pub fn media_type(headers: &HeaderMap) -> Option<MediaType> {
    let ranges = accepted(headers);
    if ranges.is_empty() && !says_something(headers, &ACCEPT) {
        return Some(MediaType::Json);
    }
    let graphql = preference(&ranges, "application", "graphql-response+json");
    let json = preference(&ranges, "application", "json");
    let preferred = graphql.quality > json.quality || (graphql.quality == json.quality && graphql.named());
    match (preferred, graphql.quality.max(json.quality)) {
        (_, 0) => None,
        (true, _) => Some(MediaType::GraphqlResponse),
        (false, _) => Some(MediaType::Json),
    }
}

/// Whether the client would rather have a page than either of our media types, as browsers
/// do that navigate.
#[must_use]
pub fn prefers_page(headers: &HeaderMap) -> bool {
    let ranges = accepted(headers);
    let page = preference(&ranges, "text", "html").quality;
    page > preference(&ranges, "application", "json").quality
        && page > preference(&ranges, "application", "graphql-response+json").quality
}

/// Whether the body is said to be JSON in UTF-8 (which it is when no charset is named).
#[must_use]
pub fn has_json_body(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let Ok(value) = value.to_str() else {
        return false;
    };
    let mut parts = split_unquoted(value, ';').map(str::trim);
    parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"))
        && parameters(parts).all(|(name, value)| !name.eq_ignore_ascii_case("charset") || is_utf8(value))
}

/// Whether the client would like to be told what its operation costs (`Prefer: cost`).
#[must_use]
pub fn wants_cost(headers: &HeaderMap) -> bool {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case("cost"))
}

/// One element of `Accept`.
struct Range<'a> {
    ty: &'a str,
    subtype: &'a str,
    /// Whether it names the charset we send; others are dropped.
    charset: bool,
    /// Thousandths.
    quality: u16,
}

/// How much the client wants a media type: by its most specific range.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Preference {
    specificity: u8,
    /// Thousandths; 0 is "not at all".
    quality: u16,
}

impl Preference {
    /// Whether it comes from a range without wildcards.
    fn named(self) -> bool {
        self.specificity >= 2
    }
}

fn preference(ranges: &[Range<'_>], ty: &str, subtype: &str) -> Preference {
    let specificity = |range: &Range<'_>| match (range.ty, range.subtype) {
        ("*", "*") => Some(0),
        (t, "*") if t.eq_ignore_ascii_case(ty) => Some(1),
        (t, s) if t.eq_ignore_ascii_case(ty) && s.eq_ignore_ascii_case(subtype) => Some(2 + u8::from(range.charset)),
        _ => None,
    };
    ranges
        .iter()
        .filter_map(|range| Some(Preference { specificity: specificity(range)?, quality: range.quality }))
        .max()
        .unwrap_or_default()
}

/// The ranges of all `Accept` lines, without those that are malformed or ask for another charset.
/// Parameters that mean nothing to us are passed over, rather than refusing the client.
fn accepted(headers: &HeaderMap) -> Vec<Range<'_>> {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| split_unquoted(line, ',')).filter_map(range).collect()
}

fn range(text: &str) -> Option<Range<'_>> {
    let mut parts = split_unquoted(text, ';').map(str::trim);
    let (ty, subtype) = parts.next()?.split_once('/')?;
    let mut range = Range { ty, subtype, charset: false, quality: 1000 };
    for (name, value) in parameters(parts) {
        if name.eq_ignore_ascii_case("q") {
            range.quality = thousandths(value)?;
        } else if name.eq_ignore_ascii_case("charset") {
            range.charset = is_utf8(value).then_some(true)?;
        }
    }
    Some(range)
}

fn parameters<'a>(parts: impl Iterator<Item = &'a str>) -> impl Iterator<Item = (&'a str, &'a str)> {
    parts.filter_map(|part| part.split_once('=')).map(|(name, value)| (name.trim(), value.trim().trim_matches('"')))
}

/// A weight: 0 to 1 with at most three decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let decimals = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(decimals),
        "1" if decimals == 0 => Some(1000),
        _ => None,
    }
}

fn is_utf8(charset: &str) -> bool {
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

/// Whether any line of the header holds more than blanks.
fn says_something(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.get_all(name).iter().any(|line| !line.as_bytes().trim_ascii().is_empty())
}

/// The parts between separators, those in quoted strings not counted.
fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |char| {
        if escaped {
            escaped = false;
            return false;
        }
        match char {
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            _ => return char == separator && !quoted,
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (name.clone(), HeaderValue::from_static(line))).collect()
    }

    #[test]
    fn accept() {
        const GRAPHQL: Option<MediaType> = Some(MediaType::GraphqlResponse);
        const JSON: Option<MediaType> = Some(MediaType::Json);
        let cases: &[(&[&'static str], Option<MediaType>)] = &[
            (&[], JSON),
            (&[""], JSON),
            (&["*/*"], JSON),
            (&["application/*"], JSON),
            (&["application/json"], JSON),
            (&["application/graphql-response+json"], GRAPHQL),
            (&["APPLICATION/GraphQL-Response+JSON ; Q=0.1"], GRAPHQL),
            (&["application/json, application/graphql-response+json"], GRAPHQL),
            (&["application/json", "application/graphql-response+json"], GRAPHQL),
            (&["application/graphql-response+json;q=0.9, application/json"], JSON),
            (&["application/graphql-response+json; charset=utf-8, application/json; charset=utf-8"], GRAPHQL),
            (&["application/graphql-response+json, */*"], GRAPHQL),
            (&["application/json, */*"], JSON),
            (&["application/json;q=0.5, */*"], GRAPHQL),
            (&["application/json;q=0, */*"], GRAPHQL),
            (&["application/json;q=0, application/graphql-response+json;q=0.000"], None),
            (&["application/graphql-response+json;q=0, */*"], JSON),
            (&["application/json;q=0.1, application/json;charset=\"UTF-8\";q=0.9, */*;q=0.5"], JSON),
            (&["application/json;charset=utf-16"], None),
            (&["application/json;v=\"a,b;c\\\",d\";q=0.3, application/graphql-response+json;q=0.2"], JSON),
            (&["multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json;q=0.9"], GRAPHQL),
            (&["application/json;q=2"], None),
            (&["application/json;q=1.001"], None),
            (&["application/json;q=0.1234"], None),
            (&["application/json;q=x, application/graphql-response+json;q=1.000"], GRAPHQL),
            (&["text/event-stream"], None),
            (&["text/html"], None),
            (&["nonsense"], None),
            (&["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], JSON),
        ];
        for (lines, expected) in cases {
            assert_eq!(media_type(&headers(ACCEPT, lines)), *expected, "{lines:?}");
        }
    }

    #[test]
    fn page() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8";
        for (line, expected) in [
            (browser, true),
            ("text/html", true),
            ("text/html, application/json;q=0.9", true),
            ("text/html, application/json", false),
            ("text/html;q=0.5, application/graphql-response+json", false),
            ("text/html;q=0", false),
            ("*/*", false),
            ("", false),
            ("application/json", false),
        ] {
            assert_eq!(prefers_page(&headers(ACCEPT, &[line])), expected, "{line}");
        }
        assert!(!prefers_page(&HeaderMap::new()));
    }

    #[test]
    fn content_type() {
        for (lines, expected) in [
            (&["application/json"][..], true),
            (&["Application/JSON; Charset=\"UTF-8\""], true),
            (&["application/json;charset=utf8; profile=x"], true),
            (&["application/json; charset=iso-8859-1"], false),
            (&["application/jsonx"], false),
            (&["text/plain"], false),
            (&["application/graphql"], false),
            (&["application/json, text/plain"], false),
            (&["application/json", "application/json"], false),
            (&[""], false),
            (&[], false),
        ] {
            assert_eq!(has_json_body(&headers(CONTENT_TYPE, lines)), expected, "{lines:?}");
        }
    }
}
