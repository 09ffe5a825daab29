//! How REST shows runs and their changes, and the tables from which the document of the API is made.
use super::super::ask::Ask;
use super::super::document::{nested, time};
use super::super::error::Result;
use super::{PATH, STAGES};
use crate::entity::sync_report::{COUNTS, RunError, Verdict};
use crate::entity::{Kind, sync_change, sync_run};
use crate::service::read::sync;
use serde_json::{Map, Value, json};

/// A field of an answer: its name, and one sentence about it.
pub type Field = (&'static str, &'static str);

/// The fields of a run, in the order of answers.
pub const RUN: [Field; 19] = [
    ("id", "The run's number, the same in GraphQL's databaseId."),
    ("url", "Where the run is."),
    ("display", "What people read where it is named."),
    ("endpoint", "The endpoint; null once it is deleted."),
    ("endpoint_name", "The endpoint's name at that time."),
    ("actor", "Who asked for it."),
    ("dry_run", "Whether it only tells what it would do."),
    ("state", "How it stands, or ended."),
    ("stage", "The stage that it is in, or was in last."),
    ("stages_done", "Stages that are behind it."),
    ("stages_total", "Stages that there are."),
    ("started_at", "When it was asked for."),
    ("finished_at", "When it ended; null while it is on."),
    ("verdicts", "For each kind of objects whether the answers about it were complete, and if not why."),
    ("counts", "How many objects it did what with; of a dry run, would do."),
    ("errors", "What went wrong."),
    ("notices", "What the operator should know besides."),
    ("revision", "The revision that its changes have in the change log; null when there are none."),
    ("changes", "How many changes there are that the token may view, and where."),
];

/// The fields of a change, in the order of answers.
pub const CHANGE: [Field; 7] = [
    ("ordinal", "Its place in the run, from 0."),
    ("object_type", "What sort of object it is about."),
    ("object_id", "The object's number, also when it is gone; null for what a dry run would make."),
    ("name", "The object's name at that time."),
    ("action", "What sync does to it."),
    ("fields", "Its fields that change, each with its value before and after."),
    ("reason", "Why, for people; empty where the fields say it all."),
];

/// The address of a run.
pub fn url(base: &str, id: i32) -> String {
    format!("{base}{PATH}{id}/")
}

/// Runs as answers show them: two statements, whatever their number.
pub async fn runs(ask: &Ask, rows: &[sync_run::Model]) -> Result<Vec<Value>> {
    let ids = rows.iter().map(|run| run.id).collect::<Vec<_>>();
    let endpoints = rows.iter().map(|run| run.endpoint_id).collect::<Vec<_>>();
    let endpoints = nested(&ask.app.db, &ask.base, Kind::Endpoint, &endpoints).await?;
    let counts = sync::count_changes(&ask.app.db, ask.principal.view(), &ids, None).await?;
    let documents = rows.iter().map(|run| {
        let endpoint = endpoints.get(&run.endpoint_id).cloned().unwrap_or_default();
        of_run(&ask.base, run, endpoint, counts.get(&run.id).copied().unwrap_or(0))
    });
    Ok(documents.collect())
}

fn of_run(base: &str, run: &sync_run::Model, endpoint: Value, changes: i64) -> Value {
    let url = url(base, run.id);
    let verdicts = run.judged().into_iter().map(|Verdict { kind, verdict, reason }| {
        (kind.value().to_owned(), json!({"verdict": verdict.value(), "reason": reason}))
    });
    let counts = COUNTS.map(|what| (what.to_owned(), json!(run.counted(what))));
    let errors = run.failures().into_iter().map(|RunError { class, message, path, privilege }| {
        json!({"class": class.value(), "message": message, "path": path, "privilege": privilege})
    });
    json!({
        "id": run.id,
        "url": url,
        "display": format!("{} at {}", run.endpoint_name, time(run.started_at)),
        "endpoint": endpoint,
        "endpoint_name": run.endpoint_name,
        "actor": run.actor,
        "dry_run": run.dry_run,
        "state": run.state.value(),
        "stage": run.stage.value(),
        "stages_done": run.stages_done,
        "stages_total": STAGES,
        "started_at": time(run.started_at),
        "finished_at": run.finished_at.map(time),
        "verdicts": verdicts.collect::<Map<_, _>>(),
        "counts": counts.into_iter().collect::<Map<_, _>>(),
        "errors": errors.collect::<Vec<_>>(),
        "notices": run.remarks(),
        "revision": run.revision,
        "changes": {"count": changes, "url": format!("{url}changes/")},
    })
}

/// A change as answers show it.
pub fn of_change(change: &sync_change::Model) -> Value {
    let fields =
        change.steps().into_iter().map(|step| (step.field, json!({"before": step.before, "after": step.after})));
    json!({
        "ordinal": change.ordinal,
        "object_type": change.object_type,
        "object_id": change.object_id,
        "name": change.name,
        "action": change.action.value(),
        "fields": fields.collect::<Map<_, _>>(),
        "reason": change.reason,
    })
}
