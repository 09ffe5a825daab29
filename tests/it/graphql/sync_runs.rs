//! Runs of sync as clients see them: what a run tells, who sees it, paging, the state of endpoints, and starting one.
use super::seed;
use crate::support::runs::{self, noon};
use crate::support::{ADMIN, Server, TestDb, both, fill};
use chrono::{TimeDelta, Utc};
use proxbox_graphql::app::{Settings, SyncSettings};
use proxbox_graphql::entity::{RunState, StepAction, sync_run, sync_state};
use proxbox_graphql::service::sync_run as service;
use sea_orm::{EntityTrait, Set};
use serde_json::{Value, json};

const READ_ONLY: &str = "1111111111111111111111111111111111111111";
const TOKEN: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// The seed with a token more that has these permissions.
async fn server(db: &TestDb, permissions: Value) -> Server {
    let mut seed = seed();
    seed["proxmox_endpoints"][1]["enabled"] = json!(false);
    let token = json!({"name": "asked", "value": TOKEN, "permissions": permissions});
    seed["tokens"].as_array_mut().unwrap().push(token);
    // As `serve` is set.
    let sync = SyncSettings { interval: Some(TimeDelta::minutes(5)), ..SyncSettings::default() };
    let app = db.open_with(Settings { sync, ..Settings::default() }).await;
    fill(&app, &seed.to_string()).await;
    Server::new(app)
}

async fn ask(server: &Server, token: &str, query: &str) -> Value {
    server.ask_as(token, query, json!({})).await.data()
}

/// The numbers of the runs that somebody sees.
async fn seen(server: &Server, token: &str, arguments: &str) -> Vec<i64> {
    let data = ask(server, token, &format!("{{ syncRuns{arguments} {{ totalCount nodes {{ databaseId }} }} }}")).await;
    let runs = &data["syncRuns"];
    let ids =
        runs["nodes"].as_array().unwrap().iter().map(|run| run["databaseId"].as_i64().unwrap()).collect::<Vec<_>>();
    assert!(runs["totalCount"].as_u64().unwrap() >= ids.len() as u64);
    ids
}

fn view(models: &[&str], constraints: Value) -> Value {
    json!({"models": models, "actions": ["view"], "constraints": constraints})
}

async fn a_run_tells_everything(db: TestDb) {
    let server = server(&db, json!([])).await;
    let run = runs::full(&server.app).await;
    let steps = [
        (
            "proxmox_node",
            Some(1),
            "pve-node-01",
            StepAction::Updated,
            json!({"online": [true, false], "max_cpu": [1, null]}),
        ),
        ("proxmox_storage", None, "new", StepAction::Created, json!({"name": [null, "new"]})),
    ];
    runs::steps(&server.app, run, &steps).await;
    let question =
        "{ syncRun(id: \"$id\") { id databaseId endpoint { name } endpointName actor dryRun state stage stagesDone
        stagesTotal startedAt finishedAt verdicts { kind verdict reason }
        counts { created updated renamed moved missing stale returned deleted measured unchanged }
        errors { class message path privilege } notices revision
        changes { totalCount nodes { objectType objectId name action fields { field before after } reason } } } }";
    let by_number = server.data(&question.replace("$id", &run.to_string())).await;
    let by_id = server.data(&question.replace("$id", &format!("SyncRun:{run}"))).await;
    assert_eq!(by_number, by_id);
    let expected = json!({
        "id": format!("SyncRun:{run}"), "databaseId": run, "endpoint": {"name": "prod-proxmox"},
        "endpointName": "prod-proxmox", "actor": "token:admin", "dryRun": false, "state": "PARTIAL", "stage": "REPORT",
        "stagesDone": 5, "stagesTotal": 5, "startedAt": "2026-04-01T12:00:00Z", "finishedAt": "2026-04-01T12:00:01.500000Z",
        "verdicts": [
            {"kind": "CLUSTER", "verdict": "COMPLETE", "reason": ""},
            {"kind": "NODES", "verdict": "PARTIAL", "reason": "no quorum"},
            {"kind": "STORAGES", "verdict": "FAILED", "reason": "403"},
        ],
        "counts": {"created": 1, "updated": 2, "renamed": 0, "moved": 0, "missing": 0, "stale": 0, "returned": 0,
            "deleted": 0, "measured": 3, "unchanged": 0},
        "errors": [
            {"class": "PERMISSION", "message": "lacks Sys.Audit", "path": "/cluster/status", "privilege": "Sys.Audit"},
            {"class": "TLS_FINGERPRINT_CHANGED", "message": "another certificate", "path": null, "privilege": null},
            {"class": "INTERNAL", "message": "?", "path": null, "privilege": null},
        ],
        "notices": ["the certificate is not checked"], "revision": 1,
        "changes": {"totalCount": 2, "nodes": [
            {"objectType": "PROXMOX_NODE", "objectId": "ProxmoxNode:1", "name": "pve-node-01", "action": "UPDATED",
                "fields": [{"field": "online", "before": true, "after": false}, {"field": "max_cpu", "before": 1, "after": null}],
                "reason": "reason 0"},
            {"objectType": "PROXMOX_STORAGE", "objectId": null, "name": "new", "action": "CREATED",
                "fields": [{"field": "name", "before": null, "after": "new"}], "reason": "reason 1"},
        ]},
    });
    assert_eq!(by_id["syncRun"], expected);
    // By its global id it is found like any object.
    let data = server.data(&format!("{{ node(id: \"SyncRun:{run}\") {{ __typename id }} nodes(ids: [\"SyncRun:{run}\", \"SyncRun:9999\", \"ProxmoxNode:1\"]) {{ id }} }}")).await;
    let run_id = json!(format!("SyncRun:{run}"));
    assert_eq!(data["node"], json!({"__typename": "SyncRun", "id": run_id}));
    assert_eq!(data["nodes"], json!([{"id": run_id}, null, {"id": "ProxmoxNode:1"}]));
    for wrong in ["", "x", "SyncRun:x", "SyncRun:01", "ProxmoxNode:1"] {
        let answer = server.ask(&format!("{{ syncRun(id: \"{wrong}\") {{ id }} }}")).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{wrong}");
    }
    assert_eq!(server.data("{ syncRun(id: 9999) { id } }").await["syncRun"], Value::Null);
}

/// Three runs of the first endpoint, one of each other, and one of an endpoint that is gone; the oldest first.
async fn six(server: &Server) -> Vec<i64> {
    let mut ids = Vec::new();
    for (endpoint, state, dry_run) in [
        (1, RunState::Succeeded, false),
        (1, RunState::Failed, true),
        (2, RunState::Succeeded, false),
        (3, RunState::Standby, false),
        (99, RunState::Succeeded, false),
        (1, RunState::Queued, false),
    ] {
        let run = sync_run::ActiveModel { dry_run: Set(dry_run), ..runs::blank(endpoint, "then", state) };
        ids.push(runs::put(&server.app, run).await.into());
    }
    ids
}

async fn filters_narrow_and_pages_follow_each_other(db: TestDb) {
    let server = server(&db, json!([])).await;
    let ids = six(&server).await;
    let newest = ids.iter().rev().copied().collect::<Vec<_>>();
    assert_eq!(seen(&server, ADMIN, "").await, newest);
    let pick = |places: &[usize]| places.iter().map(|i| ids[*i]).collect::<Vec<_>>();
    for (arguments, found) in [
        ("(endpoint: 1)", pick(&[5, 1, 0])),
        ("(endpoint: \"ProxmoxEndpoint:2\")", pick(&[2])),
        ("(endpoint: 99)", pick(&[4])),
        ("(endpoint: 98)", vec![]),
        ("(state: SUCCEEDED)", pick(&[4, 2, 0])),
        ("(state: INTERRUPTED)", vec![]),
        ("(dryRun: true)", pick(&[1])),
        ("(dryRun: false, state: SUCCEEDED, endpoint: 1)", pick(&[0])),
        ("(dryRun: null, state: null, endpoint: null, first: 2)", pick(&[5, 4])),
        ("(first: 0)", vec![]),
    ] {
        assert_eq!(seen(&server, ADMIN, arguments).await, found, "{arguments}");
    }
    for size in 1..=7 {
        let (mut found, mut after, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page =
                "edges { cursor node { databaseId } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";
            let data = server.data(&format!("{{ syncRuns(first: {size}{after}) {{ {page} totalCount }} }}")).await;
            let (edges, info) = (data["syncRuns"]["edges"].as_array().unwrap(), &data["syncRuns"]["pageInfo"]);
            found.extend(edges.iter().map(|edge| edge["node"]["databaseId"].as_i64().unwrap()));
            assert_eq!(
                (&info["startCursor"], &info["endCursor"]),
                (&edges[0]["cursor"], &edges[edges.len() - 1]["cursor"])
            );
            assert_eq!((&info["hasPreviousPage"], &data["syncRuns"]["totalCount"]), (&json!(pages > 0), &json!(6)));
            pages += 1;
            if info["hasNextPage"] == false {
                break;
            }
            after = format!(", after: {}", info["endCursor"]);
        }
        assert_eq!(found, newest, "pages of {size}");
    }
    let code =
        async |arguments: &str| server.ask(&format!("{{ syncRuns({arguments}) {{ totalCount }} }}")).await.code();
    assert_eq!(code("first: 1001").await, "PAGE_TOO_LARGE");
    assert_eq!(code("first: -1").await, "BAD_USER_INPUT");
    assert_eq!(code("after: \"x\"").await, "INVALID_CURSOR");
    assert_eq!(code("endpoint: \"Tag:1\"").await, "BAD_USER_INPUT");
}

async fn changes_come_in_pages(db: TestDb) {
    let server = server(&db, json!([])).await;
    let run = runs::full(&server.app).await;
    let other = runs::put(&server.app, runs::blank(2, "lab-proxmox", RunState::Succeeded)).await;
    runs::many_steps(&server.app, run, 7).await;
    runs::many_steps(&server.app, other, 1).await;
    let (mut names, mut after, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = "totalCount edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage endCursor }";
        let data = server.data(&format!("{{ syncRun(id: {run}) {{ changes(first: 3{after}) {{ {page} }} }} }}")).await;
        let changes = &data["syncRun"]["changes"];
        assert_eq!(changes["totalCount"], 7);
        assert_eq!(changes["pageInfo"]["hasPreviousPage"], pages > 0);
        names.extend(changes["edges"].as_array().unwrap().iter().map(|edge| edge["node"]["name"].clone()));
        pages += 1;
        if changes["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = format!(", after: {}", changes["pageInfo"]["endCursor"]);
    }
    assert_eq!((names, pages), ((0..7).map(|i| json!(format!("node {i}"))).collect(), 3));
    // A cursor is of its list.
    let cursor =
        server.data("{ syncRuns(first: 1) { edges { cursor } } }").await["syncRuns"]["edges"][0]["cursor"].take();
    let answer = server.ask(&format!("{{ syncRun(id: {run}) {{ changes(after: {cursor}) {{ totalCount }} }} }}")).await;
    assert_eq!(answer.code(), "INVALID_CURSOR");
    // The changes of several runs are their own.
    let data = server.data("{ syncRuns { nodes { changes { totalCount nodes { name } } } } }").await;
    let counts = data["syncRuns"]["nodes"].as_array().unwrap().iter();
    let counts = counts
        .map(|run| (run["changes"]["totalCount"].as_u64().unwrap(), run["changes"]["nodes"].as_array().unwrap().len()));
    assert_eq!(counts.collect::<Vec<_>>(), [(1, 1), (7, 7)]);
}

async fn who_may_view_sees_runs_of_what_exists_for_them(db: TestDb) {
    let all =
        ["proxmoxendpoint", "proxmoxcluster", "proxmoxnode", "proxmoxstorage", "cluster", "device", "tag", "change"];
    let mut cases: Vec<(Value, &[usize])> = Vec::new();
    for (permissions, places) in [
        // Neither endpoints nor runs alone are enough.
        (json!([]), &[][..]),
        (json!([view(&all, Value::Null)]), &[]),
        (json!([view(&["syncrun"], Value::Null)]), &[]),
        (json!([view(&["syncrun", "proxmoxendpoint"], Value::Null)]), &[5, 4, 3, 2, 1, 0]),
        // Whoever sees some endpoints sees their runs, and none of those that are gone.
        (
            json!([view(&["syncrun"], Value::Null), view(&["proxmoxendpoint"], json!({"id__in": [1, 3, 99]}))]),
            &[5, 3, 1, 0],
        ),
        (json!([{"models": ["syncrun"], "actions": ["add"]}, view(&["proxmoxendpoint"], Value::Null)]), &[]),
    ] {
        cases.push((permissions, places));
    }
    let mut seed = seed();
    let value = |i: usize| format!("{i:040}");
    for (i, (permissions, _)) in cases.iter().enumerate() {
        let token = json!({"name": format!("case {i}"), "value": value(i), "permissions": permissions});
        seed["tokens"].as_array_mut().unwrap().push(token);
    }
    let app = db.open().await;
    fill(&app, &seed.to_string()).await;
    let server = Server::new(app);
    let ids = six(&server).await;
    for (i, (permissions, places)) in cases.iter().enumerate() {
        let expected = places.iter().map(|place| ids[*place]).collect::<Vec<_>>();
        assert_eq!(seen(&server, &value(i), "").await, expected, "{permissions}");
        for (place, id) in ids.iter().enumerate() {
            let question =
                format!("{{ syncRun(id: {id}) {{ endpoint {{ id }} }} node(id: \"SyncRun:{id}\") {{ id }} }}");
            let data = ask(&server, &value(i), &question).await;
            let hidden = !places.contains(&place);
            assert_eq!((data["syncRun"].is_null(), data["node"].is_null()), (hidden, hidden), "{permissions} {place}");
            // The fifth one's endpoint is gone.
            assert_eq!(data["syncRun"]["endpoint"].is_null(), hidden || place == 4, "{permissions} {place}");
        }
    }
}

async fn changes_of_what_one_may_not_view_are_missing(db: TestDb) {
    let some = json!({"id__in": [1, 2]});
    let permissions = json!([
        view(&["syncrun", "proxmoxendpoint", "proxmoxstorage"], Value::Null),
        view(&["proxmoxnode", "proxmoxcluster"], some),
    ]);
    let server = server(&db, permissions).await;
    let run = runs::full(&server.app).await;
    let steps = [
        ("proxmox_node", Some(1), "seen", StepAction::Updated, json!({"proxmox_cluster": [1, 3], "online": [1, 3]})),
        ("proxmox_node", Some(3), "hidden", StepAction::Updated, json!({})),
        ("proxmox_node", None, "to be made", StepAction::Created, json!({})),
        ("proxmox_node", Some(999), "gone", StepAction::Deleted, json!({})),
        ("proxmox_storage", None, "to be made, of a model without constraint", StepAction::Created, json!({})),
        ("netbox_cluster", Some(1), "of a model that is none of theirs", StepAction::Updated, json!({})),
        ("proxmox_node", Some(2), "seen too", StepAction::Updated, json!({"proxmox_cluster": [null, "x"]})),
    ];
    runs::steps(&server.app, run, &steps).await;
    let question = format!(
        "{{ syncRun(id: {run}) {{ changes(first: 2$) {{ totalCount nodes {{ name fields {{ field before after }} }}
        pageInfo {{ hasNextPage hasPreviousPage endCursor }} }} }} }}"
    );
    let first = ask(&server, TOKEN, &question.replace('$', "")).await["syncRun"]["changes"].take();
    assert_eq!(first["totalCount"], 3);
    assert_eq!(
        first["nodes"],
        json!([
            {"name": "seen", "fields": [{"field": "proxmox_cluster", "before": 1, "after": null}, {"field": "online", "before": 1, "after": 3}]},
            {"name": "to be made, of a model without constraint", "fields": []},
        ])
    );
    let after = format!(", after: {}", first["pageInfo"]["endCursor"]);
    let second = ask(&server, TOKEN, &question.replace('$', &after)).await["syncRun"]["changes"].take();
    assert_eq!(
        second["nodes"],
        json!([{"name": "seen too", "fields": [{"field": "proxmox_cluster", "before": null, "after": null}]}])
    );
    assert_eq!(
        (&second["pageInfo"]["hasNextPage"], &second["pageInfo"]["hasPreviousPage"]),
        (&json!(false), &json!(true))
    );
    let all = server.data(&question.replace('$', "")).await["syncRun"]["changes"].take();
    assert_eq!((&all["totalCount"], &all["nodes"][0]["fields"][0]["after"]), (&json!(7), &json!(3)));
}

async fn endpoints_tell_how_it_stands(db: TestDb) {
    // No permission for runs is needed.
    let server = server(&db, json!([view(&["proxmoxendpoint"], Value::Null)])).await;
    let question = "{ proxmoxEndpoints(orderBy: [{field: ID}]) { nodes { lastSync nextSync state lastError { class message } } } }";
    let asked = async || ask(&server, TOKEN, question).await["proxmoxEndpoints"]["nodes"].take();
    let never = |state: &str| json!({"lastSync": null, "nextSync": null, "state": state, "lastError": null});
    assert_eq!(asked().await, json!([never("NEVER"), never("DISABLED"), never("NEVER")]));
    let base =
        |endpoint| sync_state::Model { next_at: Some(noon()), last_at: Some(noon()), ..service::blank(endpoint) };
    let soon = Utc::now() + TimeDelta::seconds(60);
    let error = (Some("tls_untrusted".to_owned()), Some("nobody trusts it".to_owned()));
    let (last_class, last_error) = error;
    let failed = sync_state::Model { last_state: Some(RunState::Failed), last_class, last_error, ..base(1) };
    for (row, state, next) in [
        (sync_state::Model { last_state: Some(RunState::Succeeded), ..base(1) }, "OK", true),
        (sync_state::Model { last_state: Some(RunState::Partial), ..base(1) }, "PARTIAL", true),
        (sync_state::Model { last_state: Some(RunState::Standby), ..base(1) }, "STANDBY", true),
        (sync_state::Model { last_state: Some(RunState::Interrupted), ..base(1) }, "FAILED", true),
        (sync_state::Model { suspended: true, ..failed.clone() }, "SUSPENDED", false),
        (sync_state::Model { holder: Some("p".into()), expires_at: Some(soon), ..failed.clone() }, "RUNNING", true),
        // Its process is gone.
        (sync_state::Model { holder: Some("p".into()), expires_at: Some(noon()), ..failed.clone() }, "FAILED", true),
        (sync_state::Model { last_state: Some(RunState::Succeeded), ..base(2) }, "DISABLED", false),
        (sync_state::Model { holder: Some("p".into()), expires_at: Some(soon), ..base(2) }, "RUNNING", false),
    ] {
        let place = row.endpoint_id as usize - 1;
        sync_state::Entity::delete_many().exec(&server.app.db.write).await.unwrap();
        runs::put_state(&server.app, row.clone()).await;
        let told = asked().await[place].take();
        let error = row.last_class.map(|_| json!({"class": "TLS_UNTRUSTED", "message": "nobody trusts it"}));
        let next = next.then_some("2026-04-01T12:00:00Z");
        let expected =
            json!({"lastSync": "2026-04-01T12:00:00Z", "nextSync": next, "state": state, "lastError": error});
        assert_eq!(told, expected);
    }
    // An interval of 0 is never.
    server.data("mutation { updateProxmoxEndpoint(input: {id: 3, syncInterval: 0}) { userErrors { code } } }").await;
    runs::put_state(&server.app, sync_state::Model { last_state: Some(RunState::Succeeded), ..base(3) }).await;
    let told = asked().await[2].take();
    assert_eq!((&told["nextSync"], &told["state"]), (&Value::Null, &json!("OK")));
    // So is none of its own where the server has none.
    let idle = Server::new(db.open().await);
    sync_state::Entity::delete_many().exec(&idle.app.db.write).await.unwrap();
    runs::put_state(&idle.app, sync_state::Model { last_state: Some(RunState::Succeeded), ..base(1) }).await;
    let told = ask(&idle, TOKEN, question).await["proxmoxEndpoints"]["nodes"][0].take();
    assert_eq!((&told["nextSync"], &told["state"]), (&Value::Null, &json!("OK")));
}

const START: &str = "userErrors { code message path } clientMutationId";

async fn runs_written(server: &Server) -> Vec<sync_run::Model> {
    sync_run::Entity::find().all(&server.app.db.read).await.unwrap()
}

async fn a_run_is_started(db: TestDb) {
    let server = server(&db, json!([])).await;
    let run = "syncRun { id endpoint { name } actor dryRun startedAt }";
    let data = server.data(&format!("mutation {{ syncEndpoint(input: {{id: \"ProxmoxEndpoint:1\", clientMutationId: \"mine\"}}) {{ {run} {START} }} }}")).await;
    let payload = &data["syncEndpoint"];
    assert_eq!((&payload["userErrors"], &payload["clientMutationId"]), (&json!([]), &json!("mine")));
    let [written] = &runs_written(&server).await[..] else { panic!("one run") };
    assert_eq!(payload["syncRun"]["id"], format!("SyncRun:{}", written.id));
    assert_eq!(payload["syncRun"]["endpoint"]["name"], "prod-proxmox");
    assert_eq!((&payload["syncRun"]["actor"], &payload["syncRun"]["dryRun"]), (&json!("token:admin"), &json!(false)));
    assert_eq!((written.endpoint_id, written.dry_run), (1, false));
    let data =
        server.data(&format!("mutation {{ syncEndpoint(input: {{id: 3, dryRun: true}}) {{ {run} {START} }} }}")).await;
    assert_eq!(data["syncEndpoint"]["syncRun"]["dryRun"], true);
    // The second endpoint is disabled.
    let data = server.data(&format!("mutation {{ syncEndpoint(input: {{id: 2}}) {{ {run} {START} }} }}")).await;
    let message = "The endpoint lab-proxmox is disabled: enable it, and it can be synced.";
    let errors = json!([{"code": "DISABLED", "message": message, "path": ["id"]}]);
    assert_eq!(data["syncEndpoint"], json!({"syncRun": null, "userErrors": errors, "clientMutationId": null}));
    assert_eq!(runs_written(&server).await.len(), 2);
    let data = server.data(&format!("mutation {{ syncAll(input: {{dryRun: true, clientMutationId: \"m\"}}) {{ syncRuns {{ endpoint {{ databaseId }} dryRun }} {START} }} }}")).await;
    let runs =
        json!([{"endpoint": {"databaseId": 1}, "dryRun": true}, {"endpoint": {"databaseId": 3}, "dryRun": true}]);
    assert_eq!(data["syncAll"], json!({"syncRuns": runs, "userErrors": [], "clientMutationId": "m"}));
    assert_eq!(runs_written(&server).await.len(), 4);
}

async fn who_may_not_starts_nothing(db: TestDb) {
    let permissions = json!([
        {"models": ["syncrun"], "actions": ["add"]},
        view(&["proxmoxendpoint"], json!({"id__in": [2, 3]})),
    ]);
    let server = server(&db, permissions).await;
    let one = async |token: &str, id: &str| {
        let query = format!(
            "mutation {{ syncEndpoint(input: {{id: {id}}}) {{ syncRun {{ id }} userErrors {{ code path }} }} }}"
        );
        ask(&server, token, &query).await["syncEndpoint"].take()
    };
    let refused = |code: &str, path: Value| json!({"syncRun": null, "userErrors": [{"code": code, "path": path}]});
    for (token, id, code, path) in [
        (READ_ONLY, "1", "FORBIDDEN", json!([])),
        (READ_ONLY, "\"nonsense\"", "FORBIDDEN", json!([])),
        (TOKEN, "1", "NOT_FOUND", json!(["id"])),
        (TOKEN, "77", "NOT_FOUND", json!(["id"])),
        (TOKEN, "\"Tag:1\"", "INVALID", json!(["id"])),
        (TOKEN, "2", "DISABLED", json!(["id"])),
        (ADMIN, "77", "NOT_FOUND", json!(["id"])),
    ] {
        assert_eq!(one(token, id).await, refused(code, path), "{id}");
    }
    let all = "mutation { syncAll { syncRuns { id } userErrors { code path } } }";
    let data = ask(&server, READ_ONLY, all).await;
    assert_eq!(data["syncAll"], json!({"syncRuns": [], "userErrors": [{"code": "FORBIDDEN", "path": []}]}));
    assert!(runs_written(&server).await.is_empty());
    // Whoever may start but not view runs is told that it was done, and no more.
    assert_eq!(one(TOKEN, "3").await, json!({"syncRun": null, "userErrors": []}));
    assert_eq!(ask(&server, TOKEN, all).await["syncAll"], json!({"syncRuns": [], "userErrors": []}));
    let started = runs_written(&server).await.iter().map(|run| run.endpoint_id).collect::<Vec<_>>();
    assert_eq!(started, [3, 3]);
}

async fn what_is_missing_or_stale_is_found(db: TestDb) {
    let mut seed = seed();
    for (list, place) in [("proxmox_clusters", 1), ("proxmox_nodes", 2), ("proxmox_storages", 3)] {
        seed[list][place]["missing_since"] = json!("2026-04-01T00:00:00Z");
        seed[list][place]["stale"] = json!(true);
        seed[list][place + 1]["missing_since"] = json!("2026-04-02T00:00:00.5Z");
    }
    let app = db.open().await;
    fill(&app, &seed.to_string()).await;
    let server = Server::new(app);
    for (root, list, place) in [
        ("proxmoxClusters", "proxmox_clusters", 1),
        ("proxmoxNodes", "proxmox_nodes", 2),
        ("proxmoxStorages", "proxmox_storages", 3),
    ] {
        let (stale, missing) = (seed[list][place]["id"].clone(), seed[list][place + 1]["id"].clone());
        let mut both = [stale.as_i64().unwrap(), missing.as_i64().unwrap()];
        both.sort_unstable();
        let all = seed[list].as_array().unwrap().len();
        let found = async |filter: &str| {
            let question = format!(
                "{{ {root}(filter: {filter}, orderBy: [{{field: ID}}]) {{ totalCount nodes {{ databaseId missingSince stale }} }} }}"
            );
            server.data(&question).await[root].take()
        };
        let only = json!([{"databaseId": stale, "missingSince": "2026-04-01T00:00:00Z", "stale": true}]);
        assert_eq!(found("{stale: {eq: true}}").await["nodes"], only, "{root}");
        assert_eq!(found("{missingSince: {lt: \"2026-04-02T00:00:00Z\"}}").await["nodes"], only);
        let later = json!([{"databaseId": missing, "missingSince": "2026-04-02T00:00:00.500000Z", "stale": false}]);
        assert_eq!(found("{missingSince: {isNull: false}, stale: {eq: false}}").await["nodes"], later);
        assert_eq!(super::ids(&found("{missingSince: {isNull: false}}").await["nodes"]), both);
        assert_eq!(found("{missingSince: {isNull: true}}").await["totalCount"], all - 2);
    }
}

both!(
    a_run_tells_everything,
    filters_narrow_and_pages_follow_each_other,
    changes_come_in_pages,
    who_may_view_sees_runs_of_what_exists_for_them,
    changes_of_what_one_may_not_view_are_missing,
    endpoints_tell_how_it_stands,
    a_run_is_started,
    who_may_not_starts_nothing,
    what_is_missing_or_stale_is_found,
);
