//! The runs for people: a table of all changes, and a few lines an endpoint.
use super::super::{print, table};
use super::Ended;
use crate::entity::sync_report::{COUNTS, Completeness};
use crate::entity::{Kind, StepAction, sync_change, sync_run};
use crate::error::Result;
use serde_json::Value;

/// Changes that are shown at most.
const ROWS: usize = 200;
/// Fields of a change that are shown at most.
const FIELDS: usize = 3;
/// Fields that hold the time of the run, which is no news, and another one in a dry run.
const TIMES: [&str; 2] = ["metrics_at", "missing_since"];
/// Characters of a value, or a reason, that are shown at most.
const LONGEST: usize = 48;

/// Prints it all.
pub(super) fn tell(all: &[Ended]) -> Result<()> {
    let count = all.iter().map(|ended| ended.changes.len()).sum::<usize>();
    let changes = all.iter().flat_map(|Ended { run, changes }| changes.iter().map(move |change| cells(run, change)));
    let shown = changes.take(ROWS).collect::<Vec<_>>();
    if !shown.is_empty() {
        table(&["ENDPOINT", "ACTION", "KIND", "NAME", "FIELDS", "REASON"], shown)?;
    }
    if count > ROWS {
        print(&format!("… and {} more; --json shows all\n", count - ROWS))?;
    }
    let summary = all.iter().map(|ended| summary(&ended.run)).collect::<String>();
    print(&if count > 0 { format!("\n{summary}") } else { summary })
}

fn cells(run: &sync_run::Model, change: &sync_change::Model) -> Vec<String> {
    vec![
        run.endpoint_name.clone(),
        change.action.value().into(),
        kind(&change.object_type).into(),
        short(&change.name),
        fields(change),
        short(&change.reason),
    ]
}

fn kind(table: &str) -> &str {
    match table {
        // Sync has none but its own.
        own if own == Kind::NetBoxCluster.table() => "local cluster",
        other => other.strip_prefix("proxmox_").unwrap_or(other),
    }
}

/// `online: true → false`; of a new row what it has.
fn fields(change: &sync_change::Model) -> String {
    if change.action == StepAction::Deleted {
        return String::new();
    }
    let new = change.action == StepAction::Created;
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    };
    // Name and endpoint have columns of their own, and what is not set is no news of a new row; nor is what the mirror of
    // NetBox counts, of a reference that is not NetBox's.
    let known = |field: &str| ["name", "endpoint", "missed"].contains(&field);
    let told = change.steps().into_iter().filter(|step| !TIMES.contains(&step.field.as_str()));
    let told = told.filter(|step| !new || !(known(&step.field) || empty(&step.after)));
    let told = told.map(|step| match new {
        true => format!("{}: {}", step.field, value(&step.after)),
        false => format!("{}: {} → {}", step.field, value(&step.before), value(&step.after)),
    });
    let told = told.collect::<Vec<_>>();
    let shown = told.iter().take(FIELDS).cloned().collect::<Vec<_>>().join(", ");
    if told.len() > FIELDS { format!("{shown}, +{}", told.len() - FIELDS) } else { shown }
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => short(text),
        Value::Array(_) | Value::Object(_) => "…".into(),
        other => other.to_string(),
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// `prod: succeeded: 18 created`, and below it whatever is not as it should be.
fn summary(run: &sync_run::Model) -> String {
    let counts = COUNTS.map(|what| (what, run.counted(what))).into_iter().filter(|(_, count)| *count > 0);
    let counts = counts.map(|(what, count)| format!("{count} {what}")).collect::<Vec<_>>().join(", ");
    let dry = if run.dry_run { " (dry run: nothing is changed)" } else { "" };
    let mut text = format!("{}: {}{dry}", run.endpoint_name, run.state.value());
    if !counts.is_empty() {
        text += &format!(": {counts}");
    }
    text.push('\n');
    for judged in run.judged().into_iter().filter(|judged| judged.verdict != Completeness::Complete) {
        text += &format!("  {} {}: {}\n", judged.kind.value(), judged.verdict.value(), judged.reason);
    }
    for error in run.failures() {
        text += &format!("  error {}: {}\n", error.class.value(), error.message);
    }
    for notice in run.remarks() {
        text += &format!("  notice: {notice}\n");
    }
    text.replace(|c: char| c.is_control() && c != '\n', " ")
}
