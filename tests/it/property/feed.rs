//! Whoever follows the feed has the rows: random writes, and a client that keeps nothing but documents and a position.
use super::{Verdict, cases, hold, same};
use crate::support::{ADMIN, Server, TestDb, both, fill};
use proptest::collection::vec;
use proptest::prelude::*;
use proxbox_graphql::graphql::limits::Limits;
use proxbox_graphql::service::dump;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use tokio::sync::Mutex;

both!(who_follows_the_feed_has_the_rows);

/// A write: the mutation, the row among those that are there, and what of it.
#[derive(Clone, Copy, Debug)]
struct Write {
    what: usize,
    row: usize,
    other: usize,
    name: usize,
    flag: bool,
}

fn write() -> impl Strategy<Value = Write> {
    let numbers = (0..22_usize, 0..100_usize, 0..100_usize, 0..6_usize, any::<bool>());
    numbers.prop_map(|(what, row, other, name, flag)| Write { what, row, other, name, flag })
}

/// A client's copy: the documents by global id, and how far it read.
#[derive(Default)]
struct Copy {
    documents: BTreeMap<String, Value>,
    position: Option<String>,
}

impl Copy {
    /// Reads on to the end, so many changes at a time.
    async fn follow(&mut self, server: &Server, first: usize) {
        loop {
            let after = self.position.as_ref().map(|position| format!(", after: \"{position}\"")).unwrap_or_default();
            let question = format!(
                "{{ changes(first: {first}{after}) {{ nodes {{ kind type id changed before after }} pageInfo {{ hasNextPage endCursor }} }} }}"
            );
            let changes = server.data(&question).await["changes"].take();
            for change in changes["nodes"].as_array().unwrap() {
                self.apply(change);
            }
            // An empty page has no end: the position stays.
            if let Some(position) = changes["pageInfo"]["endCursor"].as_str() {
                self.position = Some(position.to_owned());
            }
            if changes["pageInfo"]["hasNextPage"] == false {
                return;
            }
        }
    }

    fn apply(&mut self, change: &Value) {
        let id = change["id"].as_str().unwrap().to_owned();
        let known = self.documents.get(&id);
        assert_eq!(known.is_some(), change["kind"] != "CREATED", "{change}");
        assert_eq!(known.unwrap_or(&Value::Null), &change["before"], "what it was before: {change}");
        match change["kind"].as_str().unwrap() {
            "DELETED" => drop(self.documents.remove(&id)),
            _ => drop(self.documents.insert(id, change["after"].clone())),
        }
        // Objects carry tags by slug: another slug is another name of the same tag.
        if change["type"] == "TAG" && change["kind"] == "UPDATED" {
            let (old, new) = (&change["before"]["slug"], &change["after"]["slug"]);
            let documents = self.documents.values_mut();
            for tags in documents.filter_map(|document| document.get_mut("tags")?.as_array_mut()) {
                tags.iter_mut().filter(|slug| *slug == old).for_each(|slug| slug.clone_from(new));
                tags.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            }
        }
    }
}

/// The rows as documents, from what `dump` writes.
async fn rows(server: &Server) -> BTreeMap<String, Value> {
    let file = dump::dump(&server.app.db, true).await.unwrap();
    let mut file: Value = serde_json::from_slice(&dump::to_text(&file).unwrap()).unwrap();
    let tags = file["tags"].as_array().unwrap().iter().map(|tag| (tag["id"].clone(), tag["slug"].clone()));
    let tags = tags.collect::<Vec<_>>();
    let mut rows = BTreeMap::new();
    for (list, ty) in [
        ("tags", "Tag"),
        ("netbox_clusters", "NetBoxCluster"),
        ("netbox_devices", "NetBoxDevice"),
        ("proxmox_endpoints", "ProxmoxEndpoint"),
        ("proxmox_clusters", "ProxmoxCluster"),
        ("proxmox_nodes", "ProxmoxNode"),
        ("proxmox_storages", "ProxmoxStorage"),
    ] {
        for row in file[list].take().as_array().unwrap() {
            let mut row = row.as_object().unwrap().clone();
            if ty == "ProxmoxEndpoint" {
                for (there, secrets) in [
                    ("has_password", ["password", "sealed_password"]),
                    ("has_token", ["token_value", "sealed_token_value"]),
                ] {
                    let secrets = secrets.map(|secret| row.remove(secret).is_some_and(|secret| !secret.is_null()));
                    row.insert(there.into(), json!(secrets.contains(&true)));
                }
            }
            if ["ProxmoxCluster", "ProxmoxNode", "ProxmoxStorage"].contains(&ty) {
                row.entry("stale").or_insert(json!(false));
            }
            if ["NetBoxCluster", "NetBoxDevice"].contains(&ty) {
                row.entry("missed").or_insert(json!(0));
            }
            if let Some(Value::Array(list)) = row.get_mut("tags") {
                let slug = |id: &Value| tags.iter().find(|(of, _)| of == id).unwrap().1.clone();
                *list = list.iter().map(slug).collect();
                list.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            }
            rows.insert(format!("{ty}:{}", row["id"]), Value::Object(comparable(row)));
        }
    }
    rows
}

/// Times to the microsecond, however they are written; what is null may be left out.
fn comparable(mut row: Map<String, Value>) -> Map<String, Value> {
    for name in ["created", "last_updated", "metrics_at"] {
        if let Some(Value::String(text)) = row.get_mut(name) {
            *text = text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().to_rfc3339();
        }
    }
    row.retain(|_, value| !value.is_null());
    row
}

/// The mutation of a write, as far as there is a row for it.
fn mutation(write: Write, rows: &BTreeMap<String, Value>) -> Option<String> {
    let Write { what, row, other, name, flag } = write;
    let of = |ty: &str, which: usize| {
        let ids = rows.keys().filter(|id| id.split(':').next() == Some(ty)).collect::<Vec<_>>();
        ids.get(which % ids.len().max(1)).map(|id| json!(id).to_string())
    };
    let slugs = rows.iter().filter(|(id, _)| id.starts_with("Tag:")).map(|(_, tag)| tag["slug"].to_string());
    let tags = slugs.enumerate().filter(|(i, _)| (other >> i) % 2 == 0).map(|(_, slug)| slug).collect::<Vec<_>>();
    let tags = format!("tags: [{}]", tags.join(", "));
    let errors = "userErrors { code }";
    let bulk = "results { userErrors { code } }";
    Some(match what {
        0 => format!("createTag(input: {{name: \"t{name}\", slug: \"t{name}\"}}) {{ {errors} }}"),
        1 => format!("updateTag(input: {{id: {}, slug: \"u{name}\"}}) {{ {errors} }}", of("Tag", row)?),
        2 if flag => format!("deleteTag(input: {{id: {}}}) {{ {errors} }}", of("Tag", row)?),
        2 | 3 => format!("createNetboxCluster(input: {{databaseId: {}, name: \"n{name}\"}}) {{ {errors} }}", name + 1),
        4 if flag => format!("deleteNetboxCluster(input: {{id: {}}}) {{ {errors} }}", of("NetBoxCluster", row)?),
        4 => format!(
            "updateNetboxCluster(input: {{id: {}, name: \"m{name}\"}}) {{ {errors} }}",
            of("NetBoxCluster", row)?
        ),
        5 => format!("createNetboxDevice(input: {{databaseId: {}}}) {{ {errors} }}", name + 1),
        6 => format!("deleteNetboxDevice(input: {{id: {}}}) {{ {errors} }}", of("NetBoxDevice", row)?),
        7 | 8 => format!(
            "createProxmoxEndpoint(input: {{name: \"e{name}\", domain: \"e.example.com\", password: \"x\", {tags}}}) {{ {errors} }}"
        ),
        9 => format!(
            "updateProxmoxEndpoint(input: {{id: {}, port: {}, {tags}}}) {{ {errors} }}",
            of("ProxmoxEndpoint", row)?,
            8000 + name
        ),
        10 if flag => format!("deleteProxmoxEndpoint(input: {{id: {}}}) {{ {errors} }}", of("ProxmoxEndpoint", row)?),
        10..=12 => format!(
            "upsertProxmoxCluster(input: {{endpoint: {}, name: \"c{name}\", mode: CLUSTER, netboxCluster: {}, clusterId: \"{}\", {tags}}}) {{ {errors} }}",
            of("ProxmoxEndpoint", row)?,
            of("NetBoxCluster", other).filter(|_| flag).unwrap_or("null".into()),
            if other % 2 == 0 { "G" } else { "" },
        ),
        13 => format!(
            "deleteProxmoxClusters(input: {{ids: [{}, {}], mode: BEST_EFFORT}}) {{ {bulk} }}",
            of("ProxmoxCluster", row)?,
            of("ProxmoxCluster", other)?
        ),
        14 | 15 => format!(
            "upsertProxmoxNode(input: {{endpoint: {}, name: \"p{name}\", ipAddress: \"10.0.0.{name}\", proxmoxCluster: {}, netboxDevice: {}, cpuUsage: 0.{row}, memoryUsage: {other}}}) {{ {errors} }}",
            of("ProxmoxEndpoint", row)?,
            of("ProxmoxCluster", other).unwrap_or("null".into()),
            of("NetBoxDevice", row).filter(|_| flag).unwrap_or("null".into()),
        ),
        16 => format!(
            "updateProxmoxNodes(input: {{items: [{{id: {}, online: {flag}, {tags}}}, {{id: {}, nodeId: {name}}}]}}) {{ {bulk} }}",
            of("ProxmoxNode", row)?,
            of("ProxmoxNode", other)?
        ),
        17 => format!("deleteProxmoxNode(input: {{id: {}}}) {{ {errors} }}", of("ProxmoxNode", row)?),
        18 | 19 => format!(
            "upsertProxmoxStorage(input: {{cluster: {}, name: \"s{name}\", rawConfig: {{x: [{row}, {flag}]}}, path: \"/{other}\", {tags}}}) {{ {errors} }}",
            of("NetBoxCluster", row)?
        ),
        20 => format!(
            "updateProxmoxStorage(input: {{id: {}, name: \"s{name}\", customFields: {{mark: {other}}}}}) {{ {errors} }}",
            of("ProxmoxStorage", row)?
        ),
        _ => format!("deleteProxmoxStorages(input: {{ids: [{}]}}) {{ {bulk} }}", of("ProxmoxStorage", row)?),
    })
}

/// Cases go on where the one before ended, so a case that fails is not made smaller in any useful way.
async fn who_follows_the_feed_has_the_rows(db: TestDb) {
    let app = db.open().await;
    let all = json!({"models": ["*"], "actions": ["view", "add", "change", "delete"]});
    fill(&app, &json!({"tokens": [{"name": "admin", "value": ADMIN, "permissions": [all]}]}).to_string()).await;
    let server = Server::limited(app, Limits { cost: u64::MAX, ..Limits::default() });
    // What `load` left tells to read everything anew, and there is nothing yet.
    let copy = Mutex::new(Copy { position: Some("1.0".into()), ..Copy::default() });
    hold(cases(30), (vec(write(), 1..25), 1..=7_usize), async |(writes, first)| -> Verdict {
        let mut copy = copy.lock().await;
        for write in writes {
            let now = rows(&server).await;
            if let Some(mutation) = mutation(write, &now) {
                // Conflicts and what refers to something are the caller's; they change nothing.
                server.data(&format!("mutation {{ {mutation} }}")).await;
            }
        }
        copy.follow(&server, first).await;
        let (mut found, wanted) = (copy.documents.clone(), rows(&server).await);
        for document in found.values_mut() {
            let Some(row) = document.as_object_mut() else { continue };
            *row = comparable(std::mem::take(row));
        }
        same("the rows", found.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>())?;
        for (id, wanted) in &wanted {
            same(id, &found[id], wanted)?;
        }
        Ok(())
    });
    assert!(copy.into_inner().documents.len() > 5, "there was something to follow");
}
