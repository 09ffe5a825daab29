//! What the mirror keeps of NetBox as it changes.
use super::Scene;
use crate::support::netbox::{CLUSTERS, answer, real, recorded, token};
use crate::support::world::time;
use crate::support::{Server, TestDb, both};
use proxbox_graphql::app::{App, Schema, Settings};
use proxbox_graphql::client::netbox::Target;
use proxbox_graphql::db::DbOptions;
use proxbox_graphql::entity::{Named, Origin, netbox_cluster};
use proxbox_graphql::mirror::Wanted;
use proxbox_graphql::service::batch::{Mode, Operation};
use proxbox_graphql::service::{Actor, dump, netbox::Patch};
use serde_json::json;
use wiremock::ResponseTemplate;

async fn a_recorded_netbox_is_mirrored_whole(db: TestDb) {
    let netbox = real().await;
    let all = recorded();
    let clusters = all.iter().find(|pair| pair["request"]["path"].as_str().unwrap().contains("clusters/?limit=1000"));
    let body = &clusters.unwrap()["response"]["body"];
    answer(&netbox, CLUSTERS, ResponseTemplate::new(200).set_body_json(body)).await;
    let admin = Target::parse(&netbox.uri(), token("TOKEN_ADMIN").into(), None).unwrap();
    let app = db.open_with(Settings { netbox: Some(admin), ..Settings::default() }).await;
    let report = super::read(&app, Wanted::Full, false).await;
    assert!(report.is_good(), "{report:?}");
    assert_eq!((report.clusters.created, report.devices.created), (6, 12));
    crate::support::token(&app, crate::support::ADMIN).await;
    let server = Server::new(app);
    let data = server
        .data(
            "{ netboxDevice(id: 42) { name origin status site { databaseId name slug } role { name } tenant { name } rack { name }
               cluster { name } serial primaryIp4 missingSince }
               netboxDevices(filter: {name: {isNull: true}}) { nodes { databaseId name display } }
               netboxClusters(filter: {type: {slug: {eq: \"proxmox\"}}}) { totalCount }
               netboxMirror { netboxVersion state lastError { message } heldClusters } }",
        )
        .await;
    assert_eq!(data["netboxDevice"]["name"], "pve-node-01");
    assert_eq!(data["netboxDevice"]["origin"], "NETBOX");
    assert_eq!(data["netboxDevice"]["status"], "active");
    assert_eq!(data["netboxDevice"]["site"], json!({"databaseId": 2, "name": "DC2", "slug": "dc2"}));
    assert_eq!(data["netboxDevice"]["missingSince"], json!(null));
    let unnamed = &data["netboxDevices"]["nodes"];
    assert_eq!(unnamed, &json!([{"databaseId": 40, "name": null, "display": "Dell Generic 1U (40)"}]));
    assert_eq!(
        data["netboxMirror"],
        json!({"netboxVersion": "4.5.10", "state": "OK", "lastError": null, "heldClusters": 0})
    );
}

async fn a_second_generation_follows_the_first(db: TestDb) {
    let scene = Scene::new(&db).await;
    let first = scene.full().await;
    assert_eq!((first.clusters.created, first.devices.created), (4, 6));
    let revision = scene.revision().await;
    scene.world.asked();
    // Nothing changed: only what is newer is asked for, and nothing is written.
    let same = scene.read(Wanted::Due).await;
    assert_eq!((same.full, same.swept), (false, false));
    assert_eq!((same.clusters.changed, same.devices.changed, scene.revision().await), (0, 0, revision));
    let asked = scene.world.asked();
    let since = asked.iter().find(|asked| asked.starts_with("/api/dcim/devices/")).unwrap();
    // A minute before the latest change that was seen, by NetBox's clock.
    assert!(since.contains("last_updated__gte=2026-11-20T00%3A10%3A00.123456Z"), "{since}");
    assert_eq!(asked.len(), 3, "{asked:?}");

    // A rename, a new device, a device that lost its name, and one that moved to another site.
    scene.world.cluster(3, "laboratory", "DC1", 20);
    scene.world.device(12, None, "DC1", 21);
    scene.world.device(16, Some("edge1"), "DC1", 22);
    scene.world.device(17, Some("edge2"), "DC2", 23);
    let second = scene.read(Wanted::Due).await;
    assert_eq!((second.clusters.changed, second.devices.changed, second.devices.created), (1, 2, 1));
    let devices = scene.devices().await;
    let named = devices.iter().map(|row| (row.id, row.name.as_deref(), row.site().unwrap().name)).collect::<Vec<_>>();
    let of = |id, name, site: &str| (id, name, site.to_owned());
    let expected = vec![
        of(11, Some("pve1"), "DC1"),
        of(12, None, "DC1"),
        of(13, None, "DC1"),
        of(14, Some("pve1"), "DC2"),
        of(15, Some("lab1"), "DC1"),
        of(16, Some("edge1"), "DC1"),
        of(17, Some("edge2"), "DC2"),
    ];
    assert_eq!(named, expected);
    assert_eq!(devices[1].display, "Dell R740 (12)");
    assert_eq!(devices[0].netbox_updated.unwrap().to_rfc3339_opts(chrono::SecondsFormat::Micros, true), time(10));
    // Two clusters of one name are two.
    let clusters = scene.clusters().await;
    let prod = clusters.iter().filter(|row| row.name == "prod").map(|row| row.site().unwrap().name).collect::<Vec<_>>();
    assert_eq!(prod, ["DC1", "DC2"]);
    assert_eq!(clusters[2].display, "laboratory");
    assert_eq!(clusters[2].cluster_type(), Some(Named { id: 1, name: "Proxmox".into(), slug: Some("proxmox".into()) }));
    // Every change of an object is in the log.
    let log = scene.server().await.data("{ changes(first: 100) { nodes { type databaseId kind changed } } }").await;
    let text = log.to_string();
    assert!(text.contains("\"databaseId\":17") && text.contains("site_name"), "{text}");
}

async fn renamed_sites_come_with_a_full_pass(db: TestDb) {
    let scene = Scene::new(&db).await;
    scene.world.device(17, Some("newest"), "DC2", 30);
    scene.full().await;
    // In NetBox a site's new name changes no device.
    for device in scene.world.state().devices.values_mut() {
        device["site"]["name"] = json!("Frankfurt");
    }
    assert_eq!(scene.read(Wanted::Due).await.devices.changed, 1);
    assert_eq!(scene.full().await.devices.changed, 6);
    assert!(scene.devices().await.iter().all(|row| row.site_name.as_deref() == Some("Frankfurt")));
}

async fn references_made_by_hand_become_mirrored_ones(db: TestDb) {
    let app = db.open().await;
    let patch = |id, name: &str| Patch { id: Some(Some(id)), name: Some(Some(name.into())), display: None };
    for (id, name) in [(3, "wrong name"), (77, "not there")] {
        let operation = [Operation::Create(patch(id, name))];
        app.write::<netbox_cluster::Model>(Actor::operator(), &operation, Mode::AllOrNothing).await.unwrap();
    }
    app.close().await.unwrap();
    let scene = Scene::new(&db).await;
    for _ in 0..3 {
        let report = scene.full().await;
        // What NetBox does not know was made by hand for a reason: it stays, and the operator is told.
        assert_eq!((report.clusters.unknown, report.clusters.deleted), (vec![77], 0));
    }
    let rows = scene.clusters().await;
    let of = |id| rows.iter().find(|row| row.id == id).map(|row| (row.name.clone(), row.origin)).unwrap();
    assert_eq!(of(3), ("lab".into(), Origin::Netbox));
    assert_eq!(of(77), ("not there".into(), Origin::Manual));
}

async fn small_pages_of_old_versions_are_walked_too(db: TestDb) {
    let scene = Scene::new(&db).await;
    {
        let mut state = scene.world.state();
        (state.cap, state.cursor) = (2, false);
    }
    let report = scene.full().await;
    assert!(report.is_good(), "{report:?}");
    assert_eq!((report.clusters.created, report.devices.created), (4, 6));
    // The links of this NetBox lead elsewhere; nothing was asked there, and the positions were right.
    assert!(scene.world.asked().iter().any(|asked| asked.contains("offset=4")));
}

async fn a_dump_holds_the_mirror_and_loads_to_the_same(db: TestDb) {
    let scene = Scene::new(&db).await;
    scene.world.state().devices.get_mut(&11).unwrap()["primary_ip4"] = json!({"address": "10.0.0.11/24"});
    scene.full().await;
    scene.world.delete_device(15);
    scene.full().await;
    let text = dumped(&scene.app).await;
    assert!(text.contains("10.0.0.11") && text.contains("missing_since") && text.contains("\"slug\": \"dc1\""));
    let folder = crate::support::folder();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("other.db").display());
    let options = DbOptions { url, ..db.options.clone() };
    let other = App::open(&options, &db.key(), Schema::Migrate, Settings::default()).await.unwrap();
    crate::support::fill(&other, &text).await;
    assert_eq!(dumped(&other).await, text);
}

async fn dumped(app: &App) -> String {
    let file = dump::dump(&app.db, false).await.unwrap();
    String::from_utf8(dump::to_text(&file).unwrap()).unwrap()
}

async fn filters_ask_of_what_is_mirrored(db: TestDb) {
    let scene = Scene::new(&db).await;
    {
        let mut state = scene.world.state();
        state.devices.get_mut(&11).unwrap()["cluster"] = json!({"id": 3, "name": "lab"});
        state.devices.get_mut(&12).unwrap()["primary_ip6"] = json!({"address": "fd00:0::12/64"});
        state.devices.get_mut(&14).unwrap()["rack"] = json!({"id": 5, "name": "R5"});
        state.devices.get_mut(&15).unwrap()["serial"] = json!("SN-15");
        state.devices.get_mut(&16).unwrap()["status"] = json!({"value": "planned", "label": "Planned"});
        let cluster = state.clusters.get_mut(&4).unwrap();
        (cluster["scope_type"], cluster["scope"]["name"]) = (json!("dcim.region"), json!("DC1"));
        cluster["tenant"] = json!({"id": 9, "name": "Acme", "slug": "acme"});
    }
    scene.full().await;
    let server = scene.server().await;
    let devices = [
        ("site: {name: {eq: \"DC2\"}}", vec![14, 16]),
        ("site: {slug: {in: [\"dc1\"]}, databaseId: {eq: 1}}", vec![11, 12, 13, 15]),
        ("role: {name: {eq: \"hypervisor\", ignoreCase: true}}", vec![11, 12, 13, 14, 15, 16]),
        ("rack: {isNull: false}", vec![14]),
        ("rack: {name: {startsWith: \"R\"}}", vec![14]),
        ("tenant: {isNull: true}", vec![11, 12, 13, 14, 15, 16]),
        ("cluster: {is: {name: {eq: \"lab\"}}}", vec![11]),
        ("cluster: {isNull: true}", vec![12, 13, 14, 15, 16]),
        ("serial: {eq: \"SN-15\"}", vec![15]),
        ("primaryIp6: {eq: \"fd00::0012\"}", vec![12]),
        ("primaryIp4: {isNull: true}", vec![11, 12, 13, 14, 15, 16]),
        ("status: {ne: \"active\"}", vec![16]),
        ("missingSince: {isNull: false}", vec![]),
        ("not: {site: {name: {eq: \"DC1\"}}}", vec![14, 16]),
    ];
    for (filter, expected) in devices {
        let query = format!("{{ netboxDevices(filter: {{{filter}}}) {{ totalCount nodes {{ databaseId }} }} }}");
        assert_eq!(ids(&server.data(&query).await["netboxDevices"]), expected, "{filter}");
    }
    let clusters = [
        ("site: {name: {eq: \"DC1\"}}", vec![1, 3]),
        ("site: {isNull: true}", vec![4]),
        ("site: {isNull: false}", vec![1, 2, 3]),
        ("site: {isNull: true, name: {eq: \"DC1\"}}", vec![]),
        ("not: {site: {slug: {eq: \"dc1\"}}}", vec![2, 4]),
        ("scope: {name: {eq: \"DC1\"}}", vec![1, 3, 4]),
        ("scopeType: {eq: \"dcim.region\"}", vec![4]),
        ("tenant: {slug: {eq: \"acme\"}}", vec![4]),
        ("group: {isNull: true}", vec![1, 2, 3, 4]),
        ("type: {name: {contains: \"rox\"}}", vec![1, 2, 3, 4]),
    ];
    for (filter, expected) in clusters {
        let query = format!("{{ netboxClusters(filter: {{{filter}}}) {{ nodes {{ databaseId }} }} }}");
        assert_eq!(ids(&server.data(&query).await["netboxClusters"]), expected, "{filter}");
    }
    let refused = server.ask("{ netboxDevices(filter: {rack: {slug: {eq: \"x\"}}}) { totalCount } }").await;
    assert_eq!(refused.code(), "BAD_USER_INPUT");
    assert!(String::from_utf8_lossy(&refused.bytes).contains("rack"));
    // A filter on the cluster that something is linked to may ask the same.
    assert_eq!(
        server
            .data("{ proxmoxClusters(filter: {netboxCluster: {is: {site: {name: {eq: \"DC1\"}}}}}) { totalCount } }")
            .await,
        json!({"proxmoxClusters": {"totalCount": 0}})
    );
}

fn ids(connection: &serde_json::Value) -> Vec<i64> {
    let mut ids = connection["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["databaseId"].as_i64().unwrap())
        .collect::<Vec<_>>();
    ids.sort_unstable();
    ids
}

both! {
    a_recorded_netbox_is_mirrored_whole,
    a_second_generation_follows_the_first,
    renamed_sites_come_with_a_full_pass,
    references_made_by_hand_become_mirrored_ones,
    small_pages_of_old_versions_are_walked_too,
    a_dump_holds_the_mirror_and_loads_to_the_same,
    filters_ask_of_what_is_mirrored,
}
