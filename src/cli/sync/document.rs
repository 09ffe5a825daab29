//! The runs for programs: one JSON document, in the words of REST.
use super::Ended;
use crate::entity::sync_report::{COUNTS, RunError};
use crate::entity::{sync_change, sync_run};
use crate::service::change::timestamp;
use serde_json::{Map, Value, json};

/// The document.
pub(super) fn text(all: &[Ended], dry_run: bool) -> String {
    let runs = all.iter().map(|Ended { run, changes }| document(run, changes)).collect::<Vec<_>>();
    format!("{:#}\n", json!({"dry_run": dry_run, "runs": runs}))
}

fn document(run: &sync_run::Model, changes: &[sync_change::Model]) -> Value {
    let verdicts = run.judged().into_iter().map(|judged| {
        (judged.kind.value().to_owned(), json!({"verdict": judged.verdict.value(), "reason": judged.reason}))
    });
    let errors = run.failures().into_iter().map(|RunError { class, message, path, privilege }| {
        json!({"class": class.value(), "message": message, "path": path, "privilege": privilege})
    });
    json!({
        "id": run.id,
        "endpoint": {"id": run.endpoint_id, "name": run.endpoint_name},
        "actor": run.actor,
        "dry_run": run.dry_run,
        "state": run.state.value(),
        "stage": run.stage.value(),
        "started_at": timestamp(run.started_at),
        "finished_at": run.finished_at.map(timestamp),
        "verdicts": verdicts.collect::<Map<_, _>>(),
        "counts": COUNTS.map(|what| (what.to_owned(), json!(run.counted(what)))).into_iter().collect::<Map<_, _>>(),
        "errors": errors.collect::<Vec<_>>(),
        "notices": run.remarks(),
        "calls": run.calls.0,
        "revision": run.revision,
        "changes": changes.iter().map(change).collect::<Vec<_>>(),
    })
}

fn change(change: &sync_change::Model) -> Value {
    let fields = change.steps().into_iter();
    let fields = fields.map(|step| (step.field, json!({"before": step.before, "after": step.after})));
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
