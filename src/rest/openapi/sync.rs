//! The routes of runs of sync, which are no resource.
use super::super::sync::{CHANGE, FILTERS, Field, PATH, RUN};
use super::operations::{Operation, item, metadata, refer_headers};
use super::parameters::{BOOLEAN, NUMBER, named, parameter};
use super::schema;
use crate::entity::sync_report::{COUNTS, Completeness, ErrorClass, Observed};
use crate::entity::{Kind, RunStage, RunState, StepAction};
use sea_orm::Iterable;
use serde_json::{Map, Value, json};

/// The paths with their operations.
pub fn paths() -> [(String, Value); 4] {
    let start = format!("{}{{id}}/sync/", Kind::Endpoint.rest_path());
    let one = format!("{PATH}{{id}}/");
    let changes = format!("{one}changes/");
    [
        (start.clone(), of_start(&start)),
        (PATH.to_owned(), of_runs()),
        (one.clone(), of_run(&one)),
        (changes.clone(), of_changes(&changes)),
    ]
}

fn of_start(path: &str) -> Value {
    let about = "Start a run of sync of a Proxmox endpoint. It goes on in the background; `Location` is where it is told \
                 of. An endpoint that is disabled is refused. The body is empty, or an object of which nothing counts.";
    let dry_run = json!({"type": "string", "pattern": BOOLEAN});
    let dry_run = parameter("dry_run", "Only tell what would change; the last one counts.", dry_run);
    let started = json!({
        "description": "The run is written down and waits for its turn.",
        "headers": refer_headers(&["Location", "X-Ignored"]),
        "content": {"application/json": {"schema": schema("SyncRun")}},
    });
    let post = Operation::new(path, "create", about.into())
        .parameters(named(&["id", "prefer"]))
        .parameters(vec![dry_run])
        .answer("202", started)
        .errors(&["400", "403", "404", "406", "408", "409", "413", "415"]);
    let options = metadata(path).parameters(named(&["id"]));
    item([("post", post), ("options", options)])
}

fn of_runs() -> Value {
    let about = "List runs of sync, the newest first: those of endpoints that the token may view. Runs of endpoints that \
                 are deleted are for tokens that may view all endpoints.";
    let get = Operation::new(PATH, "list", about.into())
        .parameters(named(&["limit", "offset", "format", "prefer"]))
        .parameters(FILTERS.map(|(name, about)| filter(name, about)).to_vec())
        .answer("200", shown("A page of the list.", "PaginatedSyncRunList"))
        .errors(&["400", "403", "406"]);
    item([("get", get), ("options", metadata(PATH))])
}

fn filter(name: &str, about: &str) -> Value {
    let value = match name {
        "state" => json!({"type": "string", "enum": RunState::iter().map(RunState::value).collect::<Vec<_>>()}),
        "dry_run" => json!({"type": "string", "pattern": BOOLEAN}),
        _ => json!({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": NUMBER}]}),
    };
    let mut parameter = parameter(name, about, json!({"type": "array", "items": value}));
    parameter["style"] = json!("form");
    parameter["explode"] = json!(true);
    parameter
}

fn of_run(path: &str) -> Value {
    let get = Operation::new(path, "retrieve", "Show a run of sync.".into())
        .parameters(named(&["id", "format", "prefer"]))
        .answer("200", shown("The run as it stands now.", "SyncRun"))
        .errors(&["400", "403", "404", "406"]);
    item([("get", get), ("options", metadata(path).parameters(named(&["id"])))])
}

fn of_changes(path: &str) -> Value {
    let about = "List what a run changed, or in a dry run would change, in its order. Changes of objects that the token may \
                 not view are missing.";
    let get = Operation::new(path, "list", about.into())
        .parameters(named(&["id", "limit", "offset", "format", "prefer"]))
        .answer("200", shown("A page of the list.", "PaginatedSyncChangeList"))
        .errors(&["400", "403", "404", "406"]);
    item([("get", get), ("options", metadata(path).parameters(named(&["id"])))])
}

fn shown(about: &str, name: &str) -> Value {
    json!({
        "description": about,
        "headers": refer_headers(&["X-Ignored"]),
        "content": {"application/json": {"schema": schema(name)}},
    })
}

/// The schemas by their names.
pub fn schemas() -> [(&'static str, Value); 4] {
    [
        ("SyncRun", object("A run of sync over one endpoint.", &RUN, of_run_field)),
        ("SyncChange", object("What a run changed of one object, or would change.", &CHANGE, of_change_field)),
        ("PaginatedSyncRunList", page("SyncRun")),
        ("PaginatedSyncChangeList", page("SyncChange")),
    ]
}

fn object(about: &str, fields: &[Field], of: fn(&str) -> Value) -> Value {
    let properties = fields.iter().map(|(name, about)| {
        let mut value = of(name);
        value["description"] = json!(about);
        ((*name).to_owned(), value)
    });
    let names = fields.iter().map(|(name, _)| name).collect::<Vec<_>>();
    json!({
        "type": "object",
        "description": about,
        "required": names,
        "properties": properties.collect::<Map<_, _>>(),
    })
}

fn page(name: &str) -> Value {
    let address = json!({"type": ["string", "null"], "format": "uri"});
    json!({
        "type": "object",
        "required": ["count", "next", "previous", "results"],
        "properties": {
            "count": {"type": "integer", "description": "Rows that match."},
            "next": address,
            "previous": address,
            "results": {"type": "array", "items": schema(name)},
        },
    })
}

fn one_of<T>(all: &[(T, &'static str)]) -> Value {
    json!({"type": "string", "enum": all.iter().map(|(_, name)| name).collect::<Vec<_>>()})
}

fn text(nullable: bool) -> Value {
    json!({"type": if nullable { json!(["string", "null"]) } else { json!("string") }})
}

fn of_run_field(name: &str) -> Value {
    match name {
        "id" | "stages_done" | "stages_total" => json!({"type": "integer"}),
        "url" => json!({"type": "string", "format": "uri"}),
        "endpoint" => json!({"anyOf": [schema("Nested"), {"type": "null"}]}),
        "dry_run" => json!({"type": "boolean"}),
        "state" => json!({"type": "string", "enum": RunState::iter().map(RunState::value).collect::<Vec<_>>()}),
        "stage" => json!({"type": "string", "enum": RunStage::ALL.map(RunStage::value)}),
        "started_at" => json!({"type": "string", "format": "date-time"}),
        "finished_at" => json!({"type": ["string", "null"], "format": "date-time"}),
        "verdicts" => verdicts(),
        "counts" => counts(),
        "errors" => json!({"type": "array", "items": error()}),
        "notices" => json!({"type": "array", "items": text(false)}),
        "revision" => json!({"type": ["integer", "null"]}),
        "changes" => json!({
            "type": "object",
            "required": ["count", "url"],
            "properties": {"count": {"type": "integer"}, "url": {"type": "string", "format": "uri"}},
        }),
        _ => text(false),
    }
}

fn verdicts() -> Value {
    let verdict = json!({
        "type": "object",
        "required": ["verdict", "reason"],
        "properties": {"verdict": one_of(&Completeness::ALL), "reason": text(false)},
    });
    let kinds = Observed::ALL.map(|(_, name)| (name.to_owned(), verdict.clone()));
    json!({"type": "object", "properties": kinds.into_iter().collect::<Map<_, _>>()})
}

fn counts() -> Value {
    let counts = COUNTS.map(|name| (name.to_owned(), json!({"type": "integer"})));
    json!({"type": "object", "required": COUNTS, "properties": counts.into_iter().collect::<Map<_, _>>()})
}

fn error() -> Value {
    json!({
        "type": "object",
        "required": ["class", "message", "path", "privilege"],
        "properties": {
            "class": one_of(&ErrorClass::ALL),
            "message": text(false),
            "path": text(true),
            "privilege": text(true),
        },
    })
}

fn of_change_field(name: &str) -> Value {
    match name {
        "ordinal" => json!({"type": "integer"}),
        "object_id" => json!({"type": ["integer", "null"]}),
        "object_type" => json!({"type": "string", "enum": Kind::ALL.map(Kind::table)}),
        "action" => json!({"type": "string", "enum": StepAction::ALL.map(StepAction::value)}),
        "fields" => json!({
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["before", "after"],
                "properties": {"before": {}, "after": {}},
            },
        }),
        _ => text(false),
    }
}
