//! Runs of sync in REST: starting one, the list, a run, its changes; and the filter for what is stale.
use super::{CLUSTERS, Call, ENDPOINTS, NODES, STORAGES, get, ids, keys, post, text_of};
use crate::graphql::counts::server as many;
use crate::graphql::mutations::Desk;
use crate::support::runs;
use crate::support::{SEED, Server, TestDb, both, fill};
use proxbox_graphql::entity::{RunState, StepAction, sync_run};
use sea_orm::{EntityTrait, Set};
use serde_json::{Value, json};

const RUNS: &str = "/api/plugins/proxbox/sync-runs/";
const READ_ONLY: &str = "1111111111111111111111111111111111111111";
const VIEW_NODES: &str = "2222222222222222222222222222222222222222";
const TOKEN: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// The seed with its second endpoint disabled, and a token more that has these permissions.
async fn server(db: &TestDb, permissions: Value) -> Server {
    let mut seed: Value = serde_json::from_str(SEED).unwrap();
    seed["proxmox_endpoints"][1]["enabled"] = json!(false);
    let token = json!({"name": "asked", "value": TOKEN, "permissions": permissions});
    seed["tokens"].as_array_mut().unwrap().push(token);
    let app = db.open().await;
    fill(&app, &seed.to_string()).await;
    Server::new(app)
}

fn sync(endpoint: i32, query: &str) -> Call {
    Call::new("POST", &format!("{ENDPOINTS}{endpoint}/sync/{query}"))
}

async fn written(server: &Server) -> Vec<sync_run::Model> {
    sync_run::Entity::find().all(&server.app.db.read).await.unwrap()
}

async fn a_run_is_started_and_told_of(db: TestDb) {
    let server = server(&db, json!([])).await;
    let answer = sync(1, "").send(&server).await;
    assert_eq!(answer.status, 202);
    let (run, location) = (answer.json(), text_of(&answer, "location"));
    let [row] = &written(&server).await[..] else { panic!("one run") };
    assert_eq!(location, format!("http://proxbox.example.com{RUNS}{}/", row.id));
    assert_eq!((&run["url"], &run["id"], &run["actor"]), (&json!(location), &json!(row.id), &json!("token:admin")));
    assert_eq!((&run["dry_run"], row.dry_run, row.endpoint_id), (&json!(false), false, 1));
    let told = get(location.trim_start_matches("http://proxbox.example.com")).json_of(&server, 200).await;
    assert_eq!(keys(&told), keys(&run));
    // The body means nothing, but what is in it is not passed over in silence.
    for (query, body, dry_run) in [
        ("?dry_run=true", None, true),
        ("?dry_run=1", Some("{}"), true),
        ("?dry_run=no", Some("{\"dry_run\": true}"), false),
        ("?dry_run=", Some(" "), false),
        ("?dry_run=false&dry_run=YES", None, true),
    ] {
        let mut call = sync(3, query);
        if let Some(body) = body {
            call = call.with("content-type", "application/json").bytes(body);
        }
        let answer = call.send(&server).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["dry_run"]), (202, &json!(dry_run)), "{query}");
        let ignored = if body.is_some_and(|body| body.contains("dry_run")) { "dry_run" } else { "" };
        assert_eq!(text_of(&answer, "x-ignored"), ignored);
    }
    assert_eq!(written(&server).await.len(), 6);
}

async fn wrong_starts_start_nothing(db: TestDb) {
    let permissions = json!([
        {"models": ["syncrun"], "actions": ["add"]},
        {"models": ["proxmoxendpoint"], "actions": ["view"], "constraints": {"id__in": [2, 3]}},
    ]);
    let server = server(&db, permissions).await;
    let no_match = json!({"detail": "No ProxmoxEndpoint matches the given query."});
    let forbidden = json!({"detail": "You do not have permission to perform this action."});
    let disabled = json!({"enabled": ["The endpoint lab-proxmox is disabled: enable it, and it can be synced."]});
    let strict = |call: Call| call.with("prefer", "handling=strict");
    for (call, status, body) in [
        (sync(2, ""), 400, disabled.clone()),
        (sync(2, "").by(TOKEN), 400, disabled),
        (sync(1, "").by(TOKEN), 404, no_match.clone()),
        (sync(77, ""), 404, no_match.clone()),
        (Call::new("POST", &format!("{ENDPOINTS}99999999999/sync/")), 404, no_match),
        (Call::new("POST", &format!("{ENDPOINTS}x/sync/")), 404, json!({"detail": "Not found."})),
        (sync(1, "").by(READ_ONLY), 403, forbidden.clone()),
        (sync(77, "").by(VIEW_NODES), 403, forbidden),
        (sync(1, "?dry_run=perhaps"), 400, json!({"dry_run": ["Must be a valid boolean."]})),
        (strict(sync(1, "?dry=true")), 400, json!({"dry": ["This name is unknown."]})),
        (
            post(&format!("{ENDPOINTS}1/sync/"), &json!([])),
            400,
            json!({"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
        ),
        (Call::new("GET", &format!("{ENDPOINTS}1/sync/")), 405, json!({"detail": "Method \"GET\" not allowed."})),
        (Call::new("POST", RUNS), 405, json!({"detail": "Method \"POST\" not allowed."})),
        (Call::new("DELETE", &format!("{RUNS}1/")), 405, json!({"detail": "Method \"DELETE\" not allowed."})),
    ] {
        assert_eq!(call.json_of(&server, status).await, body, "{call:?}");
    }
    let raw = Call::raw("POST", &format!("{ENDPOINTS}1/sync/")).with("host", "x");
    assert_eq!(raw.json_of(&server, 403).await, json!({"detail": "Authentication credentials were not provided."}));
    assert!(written(&server).await.is_empty());
    // Who may start but not view runs is told of the one that they started.
    assert_eq!(sync(3, "").by(TOKEN).json_of(&server, 202).await["endpoint"]["id"], 3);
    get(RUNS).by(TOKEN).json_of(&server, 403).await;
}

async fn a_run_is_shown_with_everything(db: TestDb) {
    let server = server(&db, json!([])).await;
    let run = runs::full(&server.app).await;
    let steps = [
        ("proxmox_node", Some(1), "pve-node-01", StepAction::Updated, json!({"online": [true, false]})),
        ("proxmox_storage", None, "new", StepAction::Created, json!({"name": [null, "new"]})),
    ];
    runs::steps(&server.app, run, &steps).await;
    let url = format!("http://proxbox.example.com{RUNS}{run}/");
    let endpoint = json!({"id": 1, "url": format!("http://proxbox.example.com{ENDPOINTS}1/"),
        "display": "prod-proxmox (proxmox.example.com)", "name": "prod-proxmox"});
    let expected = json!({
        "id": run, "url": url, "display": "prod-proxmox at 2026-04-01T12:00:00Z", "endpoint": endpoint,
        "endpoint_name": "prod-proxmox", "actor": "token:admin", "dry_run": false, "state": "partial", "stage": "report",
        "stages_done": 5, "stages_total": 5, "started_at": "2026-04-01T12:00:00Z",
        "finished_at": "2026-04-01T12:00:01.500000Z",
        "verdicts": {
            "cluster": {"verdict": "complete", "reason": ""},
            "nodes": {"verdict": "partial", "reason": "no quorum"},
            "storages": {"verdict": "failed", "reason": "403"},
        },
        "counts": {"created": 1, "updated": 2, "renamed": 0, "moved": 0, "missing": 0, "stale": 0, "returned": 0,
            "deleted": 0, "measured": 3, "unchanged": 0},
        "errors": [
            {"class": "permission", "message": "lacks Sys.Audit", "path": "/cluster/status", "privilege": "Sys.Audit"},
            {"class": "tls_fingerprint_changed", "message": "another certificate", "path": null, "privilege": null},
            {"class": "internal", "message": "?", "path": null, "privilege": null},
        ],
        "notices": ["the certificate is not checked"], "revision": 1,
        "changes": {"count": 2, "url": format!("{url}changes/")},
    });
    let one = get(&format!("{RUNS}{run}/")).send(&server).await;
    // Down to the order of the keys.
    assert_eq!(String::from_utf8_lossy(&one.bytes), expected.to_string());
    let list = get(RUNS).json_of(&server, 200).await;
    assert_eq!(list, json!({"count": 1, "next": null, "previous": null, "results": [expected]}));
    let changes = get(&format!("{RUNS}{run}/changes/")).json_of(&server, 200).await;
    assert_eq!(
        changes["results"],
        json!([
            {"ordinal": 0, "object_type": "proxmox_node", "object_id": 1, "name": "pve-node-01", "action": "updated",
                "fields": {"online": {"before": true, "after": false}}, "reason": "reason 0"},
            {"ordinal": 1, "object_type": "proxmox_storage", "object_id": null, "name": "new", "action": "created",
                "fields": {"name": {"before": null, "after": "new"}}, "reason": "reason 1"},
        ])
    );
    for target in [format!("{RUNS}9999/"), format!("{RUNS}9999/changes/"), format!("{RUNS}99999999999/")] {
        let body = get(&target).json_of(&server, 404).await;
        assert_eq!(body, json!({"detail": "No SyncRun matches the given query."}));
    }
    assert_eq!(get(&format!("{RUNS}x/")).json_of(&server, 404).await, json!({"detail": "Not found."}));
    for (target, name) in [
        (RUNS.to_owned(), "Sync run List"),
        (format!("{RUNS}{run}/"), "Sync run Instance"),
        (format!("{RUNS}{run}/changes/"), "Sync change List"),
        (format!("{ENDPOINTS}1/sync/"), "Sync"),
    ] {
        assert_eq!(Call::new("OPTIONS", &target).json_of(&server, 200).await["name"], name);
        // A path that lacks its slash is led on.
        let answer = Call::raw("OPTIONS", target.trim_end_matches('/')).send(&server).await;
        assert_eq!((answer.status.as_u16(), text_of(&answer, "location")), (301, target));
    }
    let root = get("/api/plugins/proxbox/").json_of(&server, 200).await;
    assert_eq!(root["sync-runs"], format!("http://proxbox.example.com{RUNS}"));
}

/// Three runs of the first endpoint, one of each other, and one of an endpoint that is gone; the oldest first.
async fn six(server: &Server) -> Vec<i64> {
    let mut found = Vec::new();
    for (endpoint, state, dry_run) in [
        (1, RunState::Succeeded, false),
        (1, RunState::Failed, true),
        (2, RunState::Succeeded, false),
        (3, RunState::Standby, false),
        (99, RunState::Succeeded, false),
        (1, RunState::Queued, false),
    ] {
        let run = sync_run::ActiveModel { dry_run: Set(dry_run), ..runs::blank(endpoint, "then", state) };
        found.push(runs::put(&server.app, run).await.into());
    }
    found
}

async fn lists_are_filtered_and_paged(db: TestDb) {
    let server = server(&db, json!([])).await;
    let all = six(&server).await;
    let pick = |places: &[usize]| places.iter().map(|i| all[*i]).collect::<Vec<_>>();
    for (query, places) in [
        ("", &[5, 4, 3, 2, 1, 0][..]),
        ("?endpoint=1", &[5, 1, 0]),
        ("?endpoint_id=1&endpoint_id=2", &[5, 2, 1, 0]),
        ("?endpoint=1&endpoint_id=2", &[]),
        ("?endpoint=99", &[4]),
        ("?endpoint=12345", &[]),
        ("?endpoint=14963281971858722057650962432&endpoint=%09null", &[]),
        ("?endpoint=&state=&dry_run=", &[5, 4, 3, 2, 1, 0]),
        ("?state=succeeded", &[4, 2, 0]),
        ("?state=standby&state=queued", &[5, 3]),
        ("?dry_run=yes", &[1]),
        ("?dry_run=true&dry_run=0&state=succeeded&endpoint=1", &[0]),
        ("?limit=2", &[5, 4]),
        ("?limit=2&offset=3", &[2, 1]),
        ("?offset=6", &[]),
        ("?start=1&ordering=id&q=x", &[5, 4, 3, 2, 1, 0]),
    ] {
        assert_eq!(ids(&server, &format!("{RUNS}{query}")).await, pick(places), "{query}");
    }
    let page = get(&format!("{RUNS}?limit=2&offset=2&dry_run=false")).json_of(&server, 200).await;
    let at = |query: &str| json!(format!("http://proxbox.example.com{RUNS}?{query}"));
    assert_eq!(page["count"], 5);
    assert_eq!(
        (&page["next"], &page["previous"]),
        (&at("dry_run=false&limit=2&offset=4"), &at("dry_run=false&limit=2"))
    );
    let wrong = get(&format!("{RUNS}?endpoint=x&state=bogus&dry_run=perhaps")).json_of(&server, 400).await;
    assert_eq!(
        wrong,
        json!({
            "endpoint": ["Select a valid choice. That choice is not one of the available choices."],
            "state": ["Select a valid choice. bogus is not one of the available choices."],
            "dry_run": ["Must be a valid boolean."],
        })
    );
    let answer = get(&format!("{RUNS}?start=1&endpoint__n=1")).send(&server).await;
    assert_eq!(text_of(&answer, "x-ignored"), "start,endpoint__n");
    // The changes of one run, in its order.
    runs::many_steps(&server.app, i32::try_from(all[0]).unwrap(), 7).await;
    let target = format!("{RUNS}{}/changes/", all[0]);
    let page = get(&format!("{target}?limit=3&offset=3")).json_of(&server, 200).await;
    let ordinals = page["results"].as_array().unwrap().iter().map(|change| change["ordinal"].clone());
    assert_eq!((ordinals.collect::<Vec<_>>(), &page["count"]), (vec![json!(3), json!(4), json!(5)], &json!(7)));
    let at = |query: &str| json!(format!("http://proxbox.example.com{target}?{query}"));
    assert_eq!((&page["next"], &page["previous"]), (&at("limit=3&offset=6"), &at("limit=3")));
}

async fn who_may_view_sees_runs_of_what_exists_for_them(db: TestDb) {
    let some = json!({"id__in": [1, 3, 99]});
    let permissions = json!([
        {"models": ["syncrun"], "actions": ["view"]},
        {"models": ["proxmoxendpoint"], "actions": ["view"], "constraints": some},
        {"models": ["proxmoxnode"], "actions": ["view"], "constraints": {"id__lte": 2}},
    ]);
    let server = server(&db, permissions).await;
    let all = six(&server).await;
    let run = i32::try_from(all[0]).unwrap();
    runs::many_steps(&server.app, run, 5).await;
    let list = get(RUNS).by(TOKEN).json_of(&server, 200).await;
    let found = list["results"].as_array().unwrap().iter().map(|run| run["id"].as_i64().unwrap()).collect::<Vec<_>>();
    assert_eq!((found, &list["count"]), (vec![all[5], all[3], all[1], all[0]], &json!(4)));
    for (place, id) in all.iter().enumerate() {
        let status = if [2, 4].contains(&place) { 404 } else { 200 };
        get(&format!("{RUNS}{id}/")).by(TOKEN).json_of(&server, status).await;
        get(&format!("{RUNS}{id}/changes/")).by(TOKEN).json_of(&server, status).await;
        for token in [VIEW_NODES, "3333333333333333333333333333333333333333"] {
            get(&format!("{RUNS}{id}/")).by(token).json_of(&server, 403).await;
        }
    }
    // Two of the five nodes may be viewed.
    let told = get(&format!("{RUNS}{run}/")).by(TOKEN).json_of(&server, 200).await;
    assert_eq!(told["changes"]["count"], 2);
    let changes = get(&format!("{RUNS}{run}/changes/")).by(TOKEN).json_of(&server, 200).await;
    assert_eq!((&changes["count"], changes["results"].as_array().unwrap().len()), (&json!(2), 2));
    // What is gone is shown without its endpoint, to who may view all of them.
    let gone = get(&format!("{RUNS}{}/", all[4])).json_of(&server, 200).await;
    assert_eq!((&gone["endpoint"], &gone["endpoint_name"]), (&Value::Null, &json!("then")));
}

async fn lists_do_not_ask_once_a_row(db: TestDb) {
    let server = many(&db, 60).await;
    for endpoint in 1..=60 {
        let run = runs::put(&server.app, runs::blank(endpoint, "e", RunState::Succeeded)).await;
        runs::many_steps(&server.app, run, 3).await;
    }
    get(RUNS).json_of(&server, 200).await;
    let count = async |target: &str| {
        let call = get(target);
        server.statements_of(async || assert_eq!(call.send(&server).await.status, 200)).await
    };
    let (few, many) = (count(&format!("{RUNS}?limit=2")).await, count(&format!("{RUNS}?limit=50")).await);
    assert_eq!(few, many);
}

async fn what_is_stale_is_found_and_not_shown(db: TestDb) {
    let mut seed: Value = serde_json::from_str(SEED).unwrap();
    let lists = [(CLUSTERS, "proxmox_clusters", 1), (NODES, "proxmox_nodes", 2), (STORAGES, "proxmox_storages", 3)];
    for (_, list, place) in lists {
        seed[list][place]["missing_since"] = json!("2026-04-01T00:00:00Z");
        seed[list][place]["stale"] = json!(true);
        seed[list][place + 1]["missing_since"] = json!("2026-04-02T00:00:00Z");
    }
    let app = db.open().await;
    fill(&app, &seed.to_string()).await;
    let desk = Desk { server: Server::new(app) };
    let server = &desk.server;
    for (path, list, place) in lists {
        let all = seed[list].as_array().unwrap().len();
        let stale = vec![seed[list][place]["id"].as_i64().unwrap()];
        assert_eq!(ids(server, &format!("{path}?stale=true")).await, stale);
        assert_eq!(ids(server, &format!("{path}?stale=false&stale=ON")).await, stale, "the last one wins");
        assert_eq!(ids(server, &format!("{path}?stale=0")).await.len(), all - 1);
        assert_eq!(ids(server, &format!("{path}?stale=")).await.len(), all);
        let wrong = get(&format!("{path}?stale=perhaps")).json_of(server, 400).await;
        assert_eq!(wrong, json!({"stale": ["Must be a valid boolean."]}));
        let answer = get(&format!("{path}?missing_since=2026-04-01&stale__n=true&ordering=stale")).send(server).await;
        assert_eq!(text_of(&answer, "x-ignored"), "missing_since,stale__n,stale");
        let row = get(&format!("{path}{}/", stale[0])).json_of(server, 200).await;
        let options = Call::new("OPTIONS", path).json_of(server, 200).await;
        for name in ["stale", "missing_since", "local_cluster"] {
            assert!(row.get(name).is_none() && options["actions"]["POST"].get(name).is_none(), "{path} {name}");
        }
    }
    let row = get(&format!("{ENDPOINTS}1/")).json_of(server, 200).await;
    assert!(row.get("tls_ca").is_none() && row.get("sync_interval").is_none());
}

both!(
    a_run_is_started_and_told_of,
    wrong_starts_start_nothing,
    a_run_is_shown_with_everything,
    lists_are_filtered_and_paged,
    who_may_view_sees_runs_of_what_exists_for_them,
    lists_do_not_ask_once_a_row,
    what_is_stale_is_found_and_not_shown,
);
