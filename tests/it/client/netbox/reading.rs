//! What a real NetBox answers, typed; and what others may.
use super::{asked, client, pages, recorded, rows, values};
use crate::support::netbox::{CLUSTERS, DEVICES, answer, page};
use chrono::{DateTime, TimeDelta, Utc};
use proxbox_graphql::client::netbox::{Cluster, Device, Id, Named, NetBox, Which};
use serde::Deserialize;
use serde_json::{Value, json};
use wiremock::{MockServer, ResponseTemplate};

fn time(text: &str) -> Option<DateTime<Utc>> {
    Some(text.parse().unwrap())
}

fn named(id: i32, name: &str, slug: Option<&str>) -> Option<Named> {
    Some(Named { id, name: name.into(), slug: slug.map(str::to_owned) })
}

#[tokio::test]
async fn clusters_of_a_real_one() {
    let (server, client) = recorded("TOKEN_ADMIN").await;
    let clusters = rows(client.clusters(Which::All)).await;
    let names = clusters.iter().map(|cluster| cluster.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["dr-cluster", "edge_50%", "empty-cluster", "lab-cluster", "prod-cluster", "Ünïcode Clüster"]);
    assert_eq!(
        clusters[2],
        Cluster {
            id: 6,
            name: "empty-cluster".into(),
            display: "empty-cluster".into(),
            kind: named(2, "VMware", Some("vmware")),
            group: None,
            tenant: None,
            status: Some("active".into()),
            scope_type: None,
            scope: None,
            last_updated: time("2026-11-23T07:34:17.876943Z"),
        }
    );
    let asked = asked(&server).await;
    assert_eq!(asked.len(), 1, "one call is enough for what fits into a page");
    assert_eq!(
        values(&asked[0], "fields"),
        ["id,url,display,name,type,group,status,tenant,scope_type,scope_id,scope,site,last_updated"]
    );
    assert_eq!((values(&asked[0], "limit"), values(&asked[0], "start")), (vec!["1000".into()], vec!["0".into()]));
    assert!(asked.iter().all(|request| request.method == "GET" && request.body.is_empty()));
}

#[tokio::test]
async fn devices_of_a_real_one() {
    let (server, client) = recorded("TOKEN_ADMIN").await;
    let devices = rows(client.devices(Which::All)).await;
    assert_eq!(devices.len(), 12);
    assert_eq!(
        devices.iter().find(|device| device.id == 31),
        Some(&Device {
            id: 31,
            name: Some("lab-01".into()),
            display: "lab-01".into(),
            site: named(1, "DC1", Some("dc1")),
            role: None,
            tenant: None,
            rack: None,
            cluster_id: Some(1),
            status: Some("active".into()),
            serial: String::new(),
            primary_ip4: None,
            primary_ip6: None,
            last_updated: time("2026-11-23T07:34:18.038388Z"),
        })
    );
    // Some have no name, as in the recording.
    let unnamed = devices.iter().filter(|device| device.name.is_none()).collect::<Vec<_>>();
    assert!(!unnamed.is_empty() && unnamed.iter().all(|device| !device.display.is_empty()), "{devices:?}");
    let asked = asked(&server).await;
    assert_eq!(values(&asked[0], "exclude"), ["config_context"]);
    assert!(values(&asked[0], "fields")[0].contains("device_role,tenant,rack,cluster"));
}

#[tokio::test]
async fn ids_and_what_is_asked_for_increments() {
    let (server, client) = recorded("TOKEN_ADMIN").await;
    let mut ids = rows(client.cluster_ids()).await;
    ids.sort_by_key(|id| id.id);
    assert_eq!(ids, [1, 2, 3, 4, 5, 6].map(|id| Id { id }));
    assert_eq!(rows(client.device_ids()).await.len(), 12);
    let since = time("2026-01-01T00:00:00Z").unwrap() + TimeDelta::nanoseconds(1_999);
    assert_eq!(rows(client.clusters(Which::Since(since))).await.len(), 6);
    let few = rows(client.clusters(Which::Ids(vec![5, 1, 5]))).await;
    assert_eq!(few.iter().map(|cluster| cluster.id).collect::<Vec<_>>(), [1, 5]);
    let asked = asked(&server).await;
    assert!(asked[..2].iter().all(|request| values(request, "fields") == ["id"]));
    // PostgreSQL knows microseconds: never later than what was seen.
    assert_eq!(values(&asked[2], "last_updated__gte"), ["2026-01-01T00:00:00.000001Z"]);
    assert_eq!(values(&asked[3], "id"), ["1", "5"]);
}

#[tokio::test]
async fn many_ids_take_several_calls_and_none_takes_none() {
    let server = MockServer::start().await;
    answer(&server, DEVICES, ResponseTemplate::new(200).set_body_json(page(json!(0), None, vec![]))).await;
    let client = client(&server);
    let mut none = client.devices(Which::Ids(Vec::new()));
    assert!(none.next().await.unwrap().is_none() && none.is_complete());
    assert!(asked(&server).await.is_empty());
    let mut many = client.devices(Which::Ids((1..=250).rev().collect()));
    assert!(!many.is_complete());
    assert_eq!(pages(&mut many).await.unwrap().len(), 3);
    assert!(many.is_complete());
    let asked = asked(&server).await;
    let counts = asked.iter().map(|request| values(request, "id").len()).collect::<Vec<_>>();
    assert_eq!(counts, [100, 100, 50]);
}

/// The only row of a list.
async fn one<T>(server: &MockServer, client: &NetBox, at: &str, row: Value, read: Read<'_, T>) -> T {
    server.reset().await;
    answer(server, at, ResponseTemplate::new(200).set_body_json(page(json!(1), None, vec![row]))).await;
    let mut all = rows(read(client)).await;
    assert_eq!(all.len(), 1);
    all.remove(0)
}

type Read<'a, T> = fn(&NetBox) -> proxbox_graphql::client::netbox::Pages<'_, T>;

#[tokio::test]
async fn every_field_is_read_in_every_form_it_has() {
    let server = MockServer::start().await;
    let client = client(&server);
    let brief = |id: i32, name: &str| json!({"id": id, "url": "x", "display": format!("the {name}"), "name": name});
    let row = json!({
        "id": 7, "url": "x", "display": "c7 (DC1)", "name": "c7", "type": brief(1, "Proxmox"), "group": brief(2, "prod"),
        "tenant": {"id": 3, "display": "only a display", "slug": "t"}, "status": "planned", "scope_type": "dcim.location",
        "scope_id": 4, "scope": brief(4, "Hall"), "site": null, "unknown": [{}], "last_updated": "2026-11-23T09:34:17+02:00",
    });
    let all: Read<'_, Cluster> = |client| client.clusters(Which::All);
    assert_eq!(
        one(&server, &client, CLUSTERS, row, all).await,
        Cluster {
            id: 7,
            name: "c7".into(),
            display: "c7 (DC1)".into(),
            kind: named(1, "Proxmox", None),
            group: named(2, "prod", None),
            tenant: named(3, "only a display", Some("t")),
            status: Some("planned".into()),
            scope_type: Some("dcim.location".into()),
            scope: named(4, "Hall", None),
            last_updated: time("2026-11-23T07:34:17Z"),
        }
    );
    // Before 4.2 a cluster had a site.
    let old = one(&server, &client, CLUSTERS, json!({"id": 7, "name": "c7", "site": brief(4, "DC1")}), all).await;
    assert_eq!(
        (old.scope_type.as_deref(), old.scope, old.display.as_str()),
        (Some("dcim.site"), named(4, "DC1", None), "c7")
    );
    let all: Read<'_, Device> = |client| client.devices(Which::All);
    let row = json!({
        "id": 8, "display": "d8", "name": "d8", "site": brief(1, "DC1"), "role": brief(2, "Server"), "rack": brief(3, "R1"),
        "tenant": brief(4, "T"), "cluster": brief(5, "c5"), "status": {"value": "offline", "label": "Offline"},
        "serial": " S/N 1 ", "primary_ip4": {"id": 1, "address": "10.0.0.5/24"},
        "primary_ip6": {"id": 2, "address": "2001:DB8:0::5/64"}, "last_updated": null,
    });
    assert_eq!(
        one(&server, &client, DEVICES, row, all).await,
        Device {
            id: 8,
            name: Some("d8".into()),
            display: "d8".into(),
            site: named(1, "DC1", None),
            role: named(2, "Server", None),
            tenant: named(4, "T", None),
            rack: named(3, "R1", None),
            cluster_id: Some(5),
            status: Some("offline".into()),
            serial: " S/N 1 ".into(),
            primary_ip4: Some("10.0.0.5".into()),
            primary_ip6: Some("2001:db8::5".into()),
            last_updated: None,
        }
    );
    // The role under its old name, addresses as text, forms that nobody knows.
    let row = json!({
        "id": 9, "name": null, "device_role": brief(2, "Server"), "cluster": 5, "primary_ip4": "10.0.0.5",
        "primary_ip6": {"address": "10.0.0.6/24"}, "site": "DC1", "tenant": {"id": 0, "name": "T"}, "rack": {"name": "R"},
        "status": {"label": "?"}, "serial": 5, "last_updated": "yesterday",
    });
    let odd = one(&server, &client, DEVICES, row, all).await;
    assert_eq!((odd.name, odd.display.as_str(), odd.role), (None, "Device 9", named(2, "Server", None)));
    assert_eq!((odd.cluster_id, odd.primary_ip4.as_deref(), odd.primary_ip6), (Some(5), Some("10.0.0.5"), None));
    assert_eq!((odd.site, odd.tenant, odd.rack, odd.status), (None, None, None, None));
    assert_eq!((odd.serial.as_str(), odd.last_updated), ("", None));
}

#[tokio::test]
async fn odd_rows_are_told_and_spoil_nothing() {
    let server = MockServer::start().await;
    let client = client(&server);
    let odd = [
        (json!({"id": 0, "name": "a"}), Some(0)),
        (json!({"id": -1, "name": "a"}), Some(-1)),
        (json!({"id": 2_147_483_648_i64, "name": "a"}), Some(2_147_483_648)),
        (json!({"id": "3", "name": "a"}), None),
        (json!({"name": "a"}), None),
        (json!({"id": 4, "name": "a\u{0}b"}), Some(4)),
        (json!({"id": 5, "name": ""}), Some(5)),
        (json!({"id": 6, "name": {"a": 1}}), Some(6)),
        (json!(null), None),
        (json!([]), None),
    ];
    let good = json!({"id": 2_147_483_647, "name": "good"});
    let all = odd.iter().map(|(row, _)| row.clone()).chain([good]).collect::<Vec<_>>();
    let count = json!(all.len());
    answer(&server, CLUSTERS, ResponseTemplate::new(200).set_body_json(page(count, None, all))).await;
    let mut list = client.clusters(Which::All);
    let found = pages(&mut list).await.unwrap().remove(0);
    assert_eq!(found.rows.iter().map(|cluster| cluster.id).collect::<Vec<_>>(), [i32::MAX]);
    assert_eq!(
        found.odd.iter().map(|odd| odd.id).collect::<Vec<_>>(),
        odd.iter().map(|(_, id)| *id).collect::<Vec<_>>()
    );
    assert!(found.odd.iter().all(|odd| !odd.reason.is_empty() && odd.reason.chars().count() <= 200), "{found:?}");
    assert!(!list.is_complete(), "who they are is not known");
}

#[tokio::test]
async fn other_routes_and_lists() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Node {
        id: i32,
        display: String,
    }
    let (server, client) = recorded("TOKEN_ADMIN").await;
    let root = client.get::<Value>("api/plugins/proxbox/").await.unwrap().unwrap();
    assert!(root["nodes"].is_string(), "{root}");
    assert_eq!(client.get::<Value>("/api/dcim/devices/999/").await.unwrap(), None);
    assert_eq!(client.get::<Value>("api/plugins/none/").await.unwrap(), None);
    let failure = client.get::<Vec<i32>>("api/plugins/proxbox/").await.unwrap_err();
    assert_eq!((failure.class.code(), failure.path.as_deref()), ("protocol", Some("/api/plugins/proxbox/")));
    let clusters = rows(client.list::<Value>("api/plugins/proxbox/clusters/", vec![("tag", "a b&c".into())])).await;
    assert!(!clusters.is_empty());
    assert_eq!(values(asked(&server).await.last().unwrap(), "tag"), ["a b&c"]);
    // Rows that serde cannot read are odd.
    let mut list = client.list::<Node>("api/virtualization/clusters/", vec![("fields", "id".into())]);
    let page = list.next().await.unwrap().unwrap();
    assert_eq!((page.rows.len(), page.odd.len()), (0, 6));
    assert!(page.odd[0].reason.contains("display") && page.odd[0].id == Some(2), "{page:?}");
    let gone = client.list::<Node>("api/plugins/none/", vec![]).next().await.unwrap_err();
    assert_eq!((gone.class.code(), gone.status), ("not_netbox", Some(404)));
}
