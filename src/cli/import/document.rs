//! What an import did, for programs: one JSON document, in the words of REST.
use super::words::command;
use crate::entity::Kind;
use crate::plugin::{Counts, Difference, LeftOut, Place, Report};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The document.
pub(super) fn text(report: &Report, dry_run: bool) -> String {
    let counts = report.counts.iter().map(|(kind, one)| (kind.table().to_owned(), counts(*one)));
    let references = report.references.iter().map(|(kind, count)| (kind.table().to_owned(), json!(count)));
    let conflicts = report.conflicts.iter().map(|one| merged(place(&one.place), difference(&one.difference)));
    let collisions = report.collisions.iter().map(|one| merged(place(&one.place), json!({"holder": one.holder})));
    let renumbered = report.renumbered.iter().map(|one| merged(place(&one.place), json!({"new_id": one.id})));
    let secrets = report.secrets.iter();
    let secrets = secrets.map(|one| json!({"id": one.id, "name": one.name, "command": command(one)}));
    let document = json!({
        "dry_run": dry_run,
        "refused": !report.collisions.is_empty(),
        "revision": report.revision,
        "counts": counts.collect::<Map<_, _>>(),
        "references": references.collect::<Map<_, _>>(),
        "left_out": report.left_out.iter().map(left_out).collect::<Vec<_>>(),
        "conflicts": conflicts.collect::<Vec<_>>(),
        "collisions": collisions.collect::<Vec<_>>(),
        "renumbered": renumbered.collect::<Vec<_>>(),
        "moved_storages": report.moved,
        "missing_lists": missing(&report.missing),
        "ignored_fields": ignored(&report.ignored),
        "endpoints_without_secret": secrets.collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}

fn counts(counts: Counts) -> Value {
    let Counts { read, new, changed, same, left_out, conflicts } = counts;
    json!({
        "read": read, "new": new, "changed": changed, "same": same, "left_out": left_out, "conflicts": conflicts,
    })
}

/// A row that does not fit.
pub(in super::super) fn left_out(row: &LeftOut) -> Value {
    let problems = row.problems.iter();
    let problems = problems.map(|one| json!({"field": one.path.join("."), "reason": one.message}));
    merged(place(&row.place), json!({"problems": problems.collect::<Vec<_>>()}))
}

/// Where a row is.
pub(in super::super) fn place(place: &Place) -> Value {
    json!({"object_type": place.kind.table(), "id": place.id, "name": place.name})
}

/// A field with its two values.
pub(in super::super) fn difference(one: &Difference) -> Value {
    json!({"field": one.field, "there": one.there, "here": one.here})
}

/// The lists that this version of the plugin has not.
pub(in super::super) fn missing(kinds: &[Kind]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.table()).collect()
}

/// The fields for which there is no place here, by kind.
pub(in super::super) fn ignored(fields: &BTreeMap<Kind, BTreeSet<String>>) -> Value {
    fields.iter().map(|(kind, names)| (kind.table().to_owned(), json!(names))).collect::<Map<_, _>>().into()
}

fn merged(mut object: Value, more: Value) -> Value {
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}
