//! Runs of sync and the states of endpoints, put in place as a run leaves them.
use chrono::{DateTime, TimeDelta, Utc};
use proxbox_graphql::app::App;
use proxbox_graphql::entity::{JsonText, RunStage, RunState, StepAction, sync_change, sync_run, sync_state};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Set};
use serde_json::{Value, json};

/// A time that all runs here share.
pub fn noon() -> DateTime<Utc> {
    "2026-04-01T12:00:00Z".parse().unwrap()
}

/// A run as an endpoint's failed one looks, unless changed.
pub fn blank(endpoint: i32, name: &str, state: RunState) -> sync_run::ActiveModel {
    sync_run::ActiveModel {
        endpoint_id: Set(endpoint),
        endpoint_name: Set(name.into()),
        actor: Set("schedule".into()),
        dry_run: Set(false),
        state: Set(state),
        stage: Set(if state == RunState::Queued { RunStage::Observe } else { RunStage::Report }),
        stages_done: Set(if state.is_over() { 5 } else { 0 }),
        started_at: Set(noon()),
        finished_at: Set(state.is_over().then(|| noon() + TimeDelta::milliseconds(1_500))),
        verdicts: Set(JsonText::object()),
        counts: Set(JsonText::object()),
        errors: Set(JsonText(json!([]))),
        notices: Set(JsonText(json!([]))),
        calls: Set(JsonText(json!([]))),
        revision: Set(None),
        ..Default::default()
    }
}

/// Puts a run in place; its id.
pub async fn put(app: &App, run: sync_run::ActiveModel) -> i32 {
    run.insert(&app.db.write).await.unwrap().id
}

/// A run that was told of everything that a run can be told of; its id.
pub async fn full(app: &App) -> i32 {
    let run = sync_run::ActiveModel {
        actor: Set("token:admin".into()),
        verdicts: Set(JsonText(json!({
            "cluster": {"verdict": "complete", "reason": ""},
            "nodes": {"verdict": "partial", "reason": "no quorum"},
            "storages": {"verdict": "failed", "reason": "403"},
        }))),
        counts: Set(JsonText(json!({"created": 1, "updated": 2, "measured": 3}))),
        errors: Set(JsonText(json!([
            {"class": "permission", "message": "lacks Sys.Audit", "path": "/cluster/status", "privilege": "Sys.Audit"},
            {"class": "tls_fingerprint_changed", "message": "another certificate", "path": null, "privilege": null},
            {"class": "of a later version", "message": "?"},
        ]))),
        notices: Set(JsonText(json!(["the certificate is not checked"]))),
        revision: Set(Some(1)),
        ..blank(1, "prod-proxmox", RunState::Partial)
    };
    put(app, run).await
}

/// A change of a run: the table of the object, its id, its name, what was done, and the fields.
pub type Step<'a> = (&'a str, Option<i32>, &'a str, StepAction, Value);

/// Gives a run these changes.
pub async fn steps(app: &App, run: i32, steps: &[Step<'_>]) {
    let rows = steps.iter().zip(0..).map(|((table, id, name, action, fields), ordinal)| sync_change::ActiveModel {
        run_id: Set(run),
        ordinal: Set(ordinal),
        object_type: Set((*table).into()),
        object_id: Set(*id),
        name: Set((*name).into()),
        action: Set(*action),
        fields: Set(JsonText(fields.clone())),
        reason: Set(format!("reason {ordinal}")),
    });
    sync_change::Entity::insert_many(rows).exec_without_returning(&app.db.write).await.unwrap();
}

/// So many changes of nodes.
pub async fn many_steps(app: &App, run: i32, count: i32) {
    let names = (0..count).map(|i| format!("node {i}")).collect::<Vec<_>>();
    let of = |i: i32| {
        let fields = json!({"online": [true, false], "proxmox_cluster": [null, 1]});
        ("proxmox_node", Some(i % 14 + 1), names[i as usize].as_str(), StepAction::Updated, fields)
    };
    steps(app, run, &(0..count).map(of).collect::<Vec<_>>()).await;
}

/// Puts in place how it stands with an endpoint.
pub async fn put_state(app: &App, state: sync_state::Model) {
    let row = state.into_active_model().reset_all();
    sync_state::Entity::insert(row).exec_without_returning(&app.db.write).await.unwrap();
}
