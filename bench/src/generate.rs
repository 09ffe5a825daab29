//! `generate`: writes row by row, so that the largest file needs no more memory than the smallest.
use crate::random::Random;
use crate::shape::{
    CLUSTERS_OF_ENDPOINT, NODES_OF_CLUSTER, Shape, TOKEN, cluster_name, cluster_of_node, endpoint_name,
    endpoint_of_cluster, netbox_cluster, netbox_cluster_name, netbox_device, node_name,
};
use crate::storage;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufWriter, Write, stdout};
use std::path::Path;

/// Writes the file, or to stdout.
pub fn to(file: Option<&Path>, shape: &Shape) -> Result<()> {
    match file.filter(|path| *path != Path::new("-")) {
        None => write(stdout().lock(), shape),
        Some(path) => {
            let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
            write(file, shape)
        }
    }
}

fn write(out: impl Write, shape: &Shape) -> Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, out);
    out.write_all(b"{\n")?;
    list(&mut out, "tags", (1..=8).map(tag))?;
    list(&mut out, "netbox_clusters", (1..=shape.clusters()).map(netbox_cluster_row))?;
    list(&mut out, "netbox_devices", (1..=shape.nodes()).map(netbox_device_row))?;
    list(&mut out, "proxmox_endpoints", (1..=shape.endpoints()).map(endpoint))?;
    list(&mut out, "proxmox_clusters", (1..=shape.clusters()).map(cluster))?;
    list(&mut out, "proxmox_nodes", (1..=shape.nodes()).map(node))?;
    list(&mut out, "proxmox_storages", (1..=shape.storages()).map(storage::row))?;
    list(&mut out, "tokens", std::iter::once(token()))?;
    // Behind all that is here, whatever the kind.
    writeln!(out, "\"next_id\": {}\n}}", shape.storages() + 10_000)?;
    Ok(out.flush()?)
}

/// A row a line: still readable, and `diff` works.
fn list(out: &mut impl Write, name: &str, rows: impl Iterator<Item = Value>) -> Result<()> {
    write!(out, "\"{name}\": [")?;
    for (i, row) in rows.enumerate() {
        out.write_all(if i == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &row)?;
    }
    Ok(out.write_all(b"\n],\n")?)
}

fn tag(id: u32) -> Value {
    let names = ["Production", "Ceph", "Edge", "Lab", "Legacy", "Backup target", "Maintenance", "Disaster recovery"];
    let name = names[id as usize - 1];
    let color = Random::new(1, id.into()).hex(6);
    json!({"id": id, "name": name, "slug": name.to_lowercase().replace(' ', "-"), "color": color})
}

fn netbox_cluster_row(cluster: u32) -> Value {
    let name = netbox_cluster_name(cluster);
    json!({"id": netbox_cluster(cluster), "name": name, "display": name, "origin": "netbox"})
}

fn netbox_device_row(node: u32) -> Value {
    let name = node_name(node);
    json!({"id": netbox_device(node), "name": name, "display": name, "origin": "netbox"})
}

fn endpoint(id: u32) -> Value {
    let mut random = Random::new(4, id.into());
    let name = endpoint_name(id);
    json!({
        "id": id,
        "name": name,
        "domain": format!("pve.{name}.example.com"),
        "port": 8006,
        "mode": "cluster",
        "version": random.one(&["8.4.9", "8.4.14", "9.0.11"]),
        "repoid": random.hex(16),
        "username": "proxbox@pve",
        "token_name": "inventory",
        "verify_ssl": random.chance(50),
        "tls_fingerprint": random.chance(50).then(|| random.fingerprint()),
        "tags": [1 + random.below(8)],
        "custom_fields": {"site_code": name.to_uppercase(), "contact": "platform@example.com"},
        "created": random.time(),
        "last_updated": random.time(),
    })
}

fn cluster(id: u32) -> Value {
    let mut random = Random::new(5, id.into());
    json!({
        "id": id,
        "endpoint": endpoint_of_cluster(id),
        "netbox_cluster": netbox_cluster(id),
        "name": cluster_name(id),
        "cluster_id": random.hex(32),
        "mode": "cluster",
        "nodes_count": NODES_OF_CLUSTER,
        "quorate": random.chance(95),
        "version": 1 + random.below(60),
        "tags": if random.chance(40) { json!([1 + random.below(8)]) } else { json!([]) },
        "custom_fields": {"priority": 1 + (id - 1) % CLUSTERS_OF_ENDPOINT},
        "created": random.time(),
        "last_updated": random.time(),
    })
}

fn node(id: u32) -> Value {
    let mut random = Random::new(6, id.into());
    let cluster = cluster_of_node(id);
    let online = random.chance(97);
    let memory = *random.one(&[128_u64, 256, 512, 1024]) << 30;
    let used = memory / 1000 * (100 + random.below(850));
    json!({
        "id": id,
        "endpoint": endpoint_of_cluster(cluster),
        "proxmox_cluster": cluster,
        "netbox_device": netbox_device(id),
        "name": node_name(id),
        "node_id": (id - 1) % NODES_OF_CLUSTER + 1,
        "ip_address": format!("10.{}.{}.{}", id >> 16, id >> 8 & 255, id & 255),
        "online": online,
        "local": (id - 1).is_multiple_of(NODES_OF_CLUSTER),
        "cpu_usage": online.then(|| random.below(10_000) as f64 / 100.0),
        "max_cpu": random.one(&[32, 64, 96, 128]),
        "memory_usage": online.then_some(used),
        "max_memory": memory,
        "ssl_fingerprint": random.fingerprint(),
        "support_level": random.one(&["", "c", "b", "s", "p"]),
        "tags": if random.chance(25) { json!([1 + random.below(4), 5 + random.below(4)]) } else { json!([]) },
        "custom_fields": {"rack": format!("{}{:02}", random.one(&["A", "B", "C"]), 1 + random.below(20))},
        "created": random.time(),
        "last_updated": random.time(),
    })
}

fn token() -> Value {
    let everything = json!([{"models": ["*"], "actions": ["view", "add", "change", "delete"], "constraints": null}]);
    json!({"name": "bench", "value": TOKEN, "permissions": everything})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_as_much_as_promised() {
        let mut text = Vec::new();
        write(&mut text, &Shape { scale: 1 }).unwrap();
        let file: Value = serde_json::from_slice(&text).unwrap();
        let count = |list: &str| file[list].as_array().unwrap().len();
        assert_eq!(count("proxmox_endpoints"), 50);
        assert_eq!(count("proxmox_clusters"), 200);
        assert_eq!(count("netbox_clusters"), 200);
        assert_eq!(count("proxmox_nodes"), 5_000);
        assert_eq!(count("netbox_devices"), 5_000);
        assert_eq!(count("proxmox_storages"), 50_000);
        assert_eq!(count("tokens"), 1);
        let raw = |row: &Value| row["raw_config"].to_string().len();
        let sizes: Vec<_> = file["proxmox_storages"].as_array().unwrap().iter().map(raw).collect();
        let mean = sizes.iter().sum::<usize>() / sizes.len();
        assert!((200..400).contains(&mean), "{mean}");
        // FNV-1a. Figures can be compared only while the data stays the same: who changes it on purpose changes this.
        let sum = text
            .iter()
            .fold(0xCBF2_9CE4_8422_2325_u64, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3));
        assert_eq!(format!("{sum:016x}"), "19cabf2e23b38fa2");
    }
}
