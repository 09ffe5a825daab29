//! Which representation an answer has: the `Accept` header against what a route offers.
use super::error::{Refusal, Result};
use axum::http::{HeaderMap, StatusCode, header};

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    /// Rows for spreadsheets; lists only.
    Csv,
    /// An object a line; lists only.
    Ndjson,
}

impl Format {
    /// Its media type, as answers name it.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

/// A media range of the header: what it accepts, how narrow it is, and how much it is wanted.
struct Range<'a> {
    media: &'a str,
    quality: f32,
}

/// The format that the client wants most, of those that there are. Browsers, who want HTML, get JSON.
pub fn negotiate(headers: &HeaderMap, is_list: bool) -> Result<Format> {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges = accept.flat_map(|value| value.split(',')).filter_map(range).collect::<Vec<_>>();
    if ranges.is_empty() {
        return Ok(Format::Json);
    }
    // In the order in which equals are preferred.
    let offered = [
        (Format::Json, ["application/json", "text/html", "application/*", "*/*"].as_slice()),
        (Format::Ndjson, &["application/x-ndjson", "application/ndjson", "application/*", "*/*"]),
        (Format::Csv, &["text/csv", "text/*"]),
    ];
    let mut best: Option<(Format, f32)> = None;
    for (format, medias) in offered.into_iter().filter(|(format, _)| is_list || *format == Format::Json) {
        // The narrowest range that fits decides how much it is wanted.
        let wanted =
            medias.iter().find_map(|media| ranges.iter().find(|range| range.media.eq_ignore_ascii_case(media)));
        let quality = wanted.map_or(0.0, |range| range.quality);
        if quality > 0.0 && best.is_none_or(|(_, most)| quality > most) {
            best = Some((format, quality));
        }
    }
    best.map(|(format, _)| format)
        .ok_or_else(|| Refusal::detail(StatusCode::NOT_ACCEPTABLE, "Could not satisfy the request Accept header."))
}

fn range(text: &str) -> Option<Range<'_>> {
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next().filter(|media| !media.is_empty())?;
    let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
    Some(Range { media, quality })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_wanted_format_wins() {
        let ask = |accept: &str, is_list| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().expect("a header"));
            negotiate(&headers, is_list).ok()
        };
        for (accept, list, detail) in [
            ("*/*", Some(Format::Json), Some(Format::Json)),
            ("application/*", Some(Format::Json), Some(Format::Json)),
            ("application/json;q=0.1, text/html;q=0.9", Some(Format::Json), Some(Format::Json)),
            ("text/csv", Some(Format::Csv), None),
            ("text/csv, */*;q=0.1", Some(Format::Csv), Some(Format::Json)),
            ("application/json, text/csv;q=0.5", Some(Format::Json), Some(Format::Json)),
            ("Application/X-NDJSON", Some(Format::Ndjson), None),
            ("application/xml", None, None),
            ("text/plain", None, None),
            ("text/csv;q=0, */*", Some(Format::Json), Some(Format::Json)),
        ] {
            assert_eq!((ask(accept, true), ask(accept, false)), (list, detail), "{accept}");
        }
        assert_eq!(negotiate(&HeaderMap::new(), true).ok(), Some(Format::Json));
    }
}
