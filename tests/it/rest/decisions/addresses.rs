//! Urls in answers, whose address counts, and paths that are nearly right (decisions 4, 15 and 17).
use crate::graphql::mutations::Desk;
use crate::rest::{CLUSTERS, Call, NODES, get, post, refused, text_of};
use crate::support::{Server, TestDb, both, fill};
use proxbox_graphql::app::Settings;
use serde_json::{Value, json};

/// May be used from 10.99.0.0/16 only.
const RESTRICTED: &str = "7777777777777777777777777777777777777777";

async fn server(db: &TestDb, settings: Settings) -> Server {
    let app = db.open_with(settings).await;
    fill(&app, crate::support::SEED).await;
    Server::new(app)
}

fn behind_proxies() -> Settings {
    Settings {
        trusted_proxies: ["192.0.2.0/24", "2001:db8::/32"].map(|network| network.parse().unwrap()).into(),
        ..Settings::default()
    }
}

/// The front of every address in an answer, which must be the same everywhere.
async fn base(server: &Server, call: impl Fn(&str) -> Call) -> String {
    let one = call("/api/plugins/proxbox/nodes/1/").json_of(server, 200).await;
    let base = one["url"].as_str().unwrap().strip_suffix("/api/plugins/proxbox/nodes/1/").unwrap().to_owned();
    let starts = |value: &Value| value.as_str().unwrap().starts_with(&format!("{base}/api/"));
    assert!(starts(&one["endpoint"]["url"]) && starts(&one["netbox_device"]["url"]), "{one}");
    let list = call("/api/plugins/proxbox/nodes/?limit=1&offset=1").json_of(server, 200).await;
    assert!(starts(&list["next"]) && starts(&list["previous"]) && starts(&list["results"][0]["url"]), "{list}");
    let root = call("/api/").json_of(server, 200).await;
    assert!(starts(&root["plugins"]), "{root}");
    base
}

/// What a proxy says of where the client went.
fn forwarded(target: &str) -> Call {
    get(target)
        .with("x-forwarded-host", "outside.example.com, inside.example.com")
        .with("x-forwarded-proto", "https")
        .with("x-forwarded-prefix", "/pve/")
}

async fn urls_begin_where_the_client_went(db: TestDb) {
    let plain = server(&db, Settings::default()).await;
    assert_eq!(base(&plain, get).await, "http://proxbox.example.com");
    assert_eq!(base(&plain, |path| get(path).instead("host", "10.0.0.1:8080")).await, "http://10.0.0.1:8080");
    // Anybody can write these headers.
    assert_eq!(base(&plain, forwarded).await, "http://proxbox.example.com");
}

async fn a_proxy_is_believed_when_it_is_trusted(db: TestDb) {
    let behind = server(&db, behind_proxies()).await;
    for peer in ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1"] {
        assert_eq!(base(&behind, |path| forwarded(path).from(peer)).await, "https://outside.example.com/pve", "{peer}");
    }
    for peer in ["198.51.100.1", "::ffff:198.51.100.1", "2001:db9::1"] {
        assert_eq!(base(&behind, |path| forwarded(path).from(peer)).await, "http://proxbox.example.com", "{peer}");
    }
    let strange = |path: &str| get(path).with("x-forwarded-proto", "javascript").with("x-forwarded-host", "");
    assert_eq!(base(&behind, strange).await, "http://proxbox.example.com");
    let body = json!({"endpoint": 1, "name": "new", "mode": "cluster"});
    let answer = post(CLUSTERS, &body).with("x-forwarded-prefix", "pve").send(&behind).await;
    assert_eq!(text_of(&answer, "location"), "http://proxbox.example.com/pve/api/plugins/proxbox/clusters/101/");
}

async fn the_public_url_goes_before_everything(db: TestDb) {
    let public_url = Some("https://inventory.example.com/pve/".to_owned());
    let server = server(&db, Settings { public_url, ..behind_proxies() }).await;
    assert_eq!(base(&server, get).await, "https://inventory.example.com/pve");
    assert_eq!(base(&server, forwarded).await, "https://inventory.example.com/pve");
}

async fn the_client_is_whom_no_trusted_proxy_vouches_against(db: TestDb) {
    let server = server(&db, behind_proxies()).await;
    // Peer, the chain in the header, and who that is.
    for (peer, chain, client) in [
        ("10.99.1.1", &[][..], "10.99.1.1"),
        ("::ffff:10.99.1.1", &[], "10.99.1.1"),
        ("192.0.2.7", &["10.99.1.1"], "10.99.1.1"),
        ("192.0.2.7", &["203.0.113.9, 10.99.1.1"], "10.99.1.1"),
        ("192.0.2.7", &["10.99.1.1, 192.0.2.8"], "10.99.1.1"),
        ("192.0.2.7", &["10.99.1.1", "192.0.2.8, 2001:db8::7"], "10.99.1.1"),
        // Forged by the client before the proxy added the truth.
        ("192.0.2.7", &["10.99.1.1, 203.0.113.9"], "203.0.113.9"),
        ("192.0.2.7", &["10.99.1.1", "203.0.113.9"], "203.0.113.9"),
        ("192.0.2.7", &["10.99.1.1, 203.0.113.9, 192.0.2.8"], "203.0.113.9"),
        // Nobody trusted says so.
        ("203.0.113.9", &["10.99.1.1"], "203.0.113.9"),
        ("192.0.2.7", &[], "192.0.2.7"),
        ("192.0.2.7", &["10.99.1.1, nonsense"], "192.0.2.7"),
        ("192.0.2.7", &["10.99.1.1, "], "192.0.2.7"),
    ] {
        let call =
            chain.iter().fold(get(NODES).by(RESTRICTED).from(peer), |call, part| call.with("x-forwarded-for", part));
        let answer = call.send(&server).await;
        if client == "10.99.1.1" {
            assert_eq!(answer.status, 200, "{peer} {chain:?}");
        } else {
            let detail = format!("Source IP {client} is not permitted to authenticate using this token.");
            assert_eq!((answer.status.as_u16(), answer.json()), (403, json!({"detail": detail})), "{peer} {chain:?}");
        }
    }
}

async fn a_missing_slash_leads_on_only_where_nothing_gets_lost(db: TestDb) {
    let desk = Desk::new(&db).await;
    let not_found = json!({"detail": "Not found."});
    for path in
        ["/api", "/api/plugins/proxbox/clusters", "/api/plugins/proxbox/nodes/1", "/api/dcim/devices/99", "/api/status"]
    {
        for method in ["GET", "HEAD", "OPTIONS"] {
            // Before anybody is asked for a token.
            for call in [Call::new(method, &format!("{path}?a=%22&b")), Call::raw(method, &format!("{path}?a=%22&b"))] {
                let answer = call.send(&desk.server).await;
                let location = text_of(&answer, "location");
                assert_eq!((answer.status.as_u16(), location), (301, format!("{path}/?a=%22&b")), "{method} {path}");
            }
        }
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let call = Call::new(method, path).json(&json!({"endpoint": 1, "name": "x", "mode": "cluster"}));
            assert_eq!(refused(&desk, &call, 404).await, not_found, "{method} {path}");
        }
    }
    for path in
        ["/api/nothing", "/api/nothing/", "/nothing", "/api/plugins/proxbox/clusters/1/2/", "//evil.example.com/api"]
    {
        for method in ["GET", "POST", "DELETE"] {
            assert_eq!(Call::new(method, path).json_of(&desk.server, 404).await, not_found, "{method} {path}");
        }
    }
}

/// Later versions of the plugin have other paths; the urls in answers stay the documented ones.
async fn later_paths_are_the_same_resources(db: TestDb) {
    let desk = Desk::new(&db).await;
    for (path, alias) in [("clusters/", "proxmox-clusters/"), ("nodes/", "proxmox-nodes/")] {
        let at = |path: &str, rest: &str| format!("/api/plugins/proxbox/{path}{rest}");
        for rest in ["", "1/", "?limit=2&offset=1", "?name=pve-node-01", "99/"] {
            let (plain, other) =
                (get(&at(path, rest)).send(&desk.server).await, get(&at(alias, rest)).send(&desk.server).await);
            assert_eq!((plain.status, plain.json()), (other.status, other.json()), "{rest}");
            assert_eq!(plain.headers.get("etag"), other.headers.get("etag"), "{rest}");
        }
        let body = json!({"endpoint": 1, "name": "new", "mode": "cluster", "ip_address": "10.0.0.1"});
        let answer = post(&at(alias, ""), &body).send(&desk.server).await;
        let there = format!("http://proxbox.example.com{}", at(path, "101/"));
        assert_eq!((answer.status.as_u16(), text_of(&answer, "location")), (201, there.clone()));
        assert_eq!(answer.json()["url"], there);
        let redirect = Call::raw("GET", at(alias, "1/").trim_end_matches('/')).send(&desk.server).await;
        assert_eq!((redirect.status.as_u16(), text_of(&redirect, "location")), (301, at(alias, "1/")));
        Call::new("DELETE", &at(alias, "101/")).json_of(&desk.server, 204).await;
        get(&at(path, "101/")).json_of(&desk.server, 404).await;
    }
}

both!(
    urls_begin_where_the_client_went,
    a_proxy_is_believed_when_it_is_trusted,
    the_public_url_goes_before_everything,
    the_client_is_whom_no_trusted_proxy_vouches_against,
    a_missing_slash_leads_on_only_where_nothing_gets_lost,
    later_paths_are_the_same_resources,
);
