//! Suggestions for people, as a table with a line a candidate, and for programs.
use super::super::print;
use super::pair::word;
use crate::error::Result;
use crate::service::link::{Candidate, Reason, Suggestion};
use serde_json::{Value, json};

/// The table, and what can be done.
pub(super) fn suggestions(found: &[Suggestion]) -> Result<()> {
    if found.is_empty() {
        return print("nothing is suggested\n");
    }
    table(found)?;
    let exact = found.iter().filter(|suggestion| suggestion.exact).count();
    let how = match exact {
        0 => "have a look, and make links by: proxbox-graphql links accept OBJECT TARGET",
        _ => "make those links by: proxbox-graphql links accept --exact",
    };
    print(&format!("\n{} suggestions, {exact} of them exact; {how}\n", found.len()))
}

/// A line a candidate; what is the same as in the line above is left out.
pub(super) fn table(found: &[Suggestion]) -> Result<()> {
    let rows = found.iter().flat_map(lines).collect();
    super::super::table(
        &["OBJECT", "NAME", "ENDPOINT", "EXACT", "TARGET", "IN NETBOX", "SITE", "SCORE", "REASONS"],
        rows,
    )
}

fn lines(suggestion: &Suggestion) -> Vec<Vec<String>> {
    let endpoint = suggestion.endpoint.as_ref().map_or("-", |(_, name)| name);
    let exact = if suggestion.exact { "yes" } else { "no" };
    let object = format!("{}:{}", word(suggestion.ty), suggestion.object);
    let front = [object, suggestion.name.clone(), endpoint.to_owned(), exact.to_owned()];
    let mut rows = Vec::new();
    for candidate in &suggestion.candidates {
        let front = if rows.is_empty() { front.to_vec() } else { vec![String::new(); front.len()] };
        rows.push([front, cells(candidate)].concat());
    }
    let left = suggestion.total - suggestion.candidates.len();
    if left > 0 {
        rows.push([vec![String::new(); front.len()], vec![format!("… {left} more")]].concat());
    }
    rows
}

fn cells(candidate: &Candidate) -> Vec<String> {
    let reasons = candidate.reasons.iter().map(|reason| reason.value().replace('_', " "));
    vec![
        candidate.target.to_string(),
        candidate.name.clone(),
        candidate.site.clone().unwrap_or_else(|| "-".into()),
        format!("{:.2}", candidate.fraction()),
        reasons.collect::<Vec<_>>().join(", "),
    ]
}

/// Everything in one JSON document.
pub(super) fn document(found: &[Suggestion]) -> String {
    let suggestions = found.iter().map(|suggestion| {
        let (object, target) = (suggestion.ty.object(), suggestion.ty.target());
        let candidates = suggestion.candidates.iter().map(|candidate| {
            json!({
                "target": format!("{}:{}", target.type_name(), candidate.target),
                "name": candidate.name,
                "site": candidate.site,
                "score": candidate.fraction(),
                "reasons": candidate.reasons.iter().copied().map(Reason::value).collect::<Vec<_>>(),
            })
        });
        json!({
            "object": format!("{}:{}", object.type_name(), suggestion.object),
            "name": suggestion.name,
            "endpoint": suggestion.endpoint.as_ref().map(|(id, name)| json!({"id": id, "name": name})),
            "exact": suggestion.exact,
            "candidate_count": suggestion.total,
            "candidates": candidates.collect::<Vec<Value>>(),
        })
    });
    format!("{:#}\n", json!({"suggestions": suggestions.collect::<Vec<_>>()}))
}
