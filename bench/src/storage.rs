//! The storages, by far the most rows: the usual mixture of plugins, with the columns that each one fills and the
//! configuration that Proxmox would show.
use crate::random::Random;
use crate::shape::{NODES_OF_CLUSTER, STORAGES_OF_CLUSTER, cluster_name, netbox_cluster, node_name};
use serde_json::{Map, Value, json};

#[derive(Clone, Copy)]
pub enum Kind {
    Dir,
    LvmThin,
    Zfs,
    Nfs,
    Rbd,
    CephFs,
    Cifs,
    Pbs,
}

// Every tenth storage is of the same kind.
const MIXTURE: [Kind; 10] = [
    Kind::Dir,
    Kind::Nfs,
    Kind::LvmThin,
    Kind::Rbd,
    Kind::Nfs,
    Kind::Pbs,
    Kind::Zfs,
    Kind::CephFs,
    Kind::Cifs,
    Kind::Nfs,
];

impl Kind {
    /// The kind of the storage at this place in its cluster.
    pub fn of(place: u32) -> Self {
        MIXTURE[place as usize % MIXTURE.len()]
    }

    pub fn shared(self) -> bool {
        !matches!(self, Self::Dir | Self::LvmThin | Self::Zfs)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Dir => "dir",
            Self::LvmThin => "lvmthin",
            Self::Zfs => "zfspool",
            Self::Nfs => "nfs",
            Self::Rbd => "rbd",
            Self::CephFs => "cephfs",
            Self::Cifs => "cifs",
            Self::Pbs => "pbs",
        }
    }

    fn content(self) -> &'static str {
        match self {
            Self::LvmThin | Self::Zfs | Self::Rbd => "images,rootdir",
            Self::Dir | Self::CephFs => "backup,iso,snippets,vztmpl",
            Self::Nfs => "backup,images,iso,vztmpl",
            Self::Cifs => "import,iso",
            Self::Pbs => "backup",
        }
    }
}

/// Whether the storage at this place in its cluster is enabled.
pub fn enabled(place: u32) -> bool {
    place % 7 != 3
}

/// What the storage at this place in its cluster is called.
pub fn name(place: u32) -> String {
    format!("{}-{place:03}", Kind::of(place).name())
}

/// A row of `proxmox_storages`.
pub fn row(id: u32) -> Value {
    let mut random = Random::new(7, id.into());
    let (cluster, place) = ((id - 1) / STORAGES_OF_CLUSTER + 1, (id - 1) % STORAGES_OF_CLUSTER);
    let kind = Kind::of(place);
    let name = name(place);
    let site = cluster_name(cluster);
    // Local ones are on some nodes only.
    let nodes = (!kind.shared() || random.chance(20)).then(|| some_nodes(cluster, &mut random));
    let mut row = json!({
        "id": id,
        "cluster": netbox_cluster(cluster),
        "source": cluster,
        "name": name,
        "storage_type": kind.name(),
        "content": kind.content(),
        "nodes": nodes,
        "shared": kind.shared(),
        "enabled": enabled(place),
    });
    let own = own(kind, &name, &site, &mut random);
    // As Proxmox shows it: the columns under its own names, and what no column holds.
    let mut raw = json!({"storage": name, "type": kind.name(), "content": kind.content()});
    for (key, value) in &own.columns {
        raw[key.replace('_', "-")] = value.clone();
    }
    for (key, value) in own.others {
        raw[key] = value;
    }
    if let Some(nodes) = nodes {
        raw["nodes"] = nodes.into();
    }
    if kind.shared() {
        raw["shared"] = 1.into();
    }
    if !enabled(place) {
        raw["disable"] = 1.into();
    }
    raw["digest"] = random.hex(40).into();
    for (key, value) in own.columns {
        row[key] = value;
    }
    row["raw_config"] = raw;
    row["tags"] = if random.chance(20) { json!([1 + random.below(8)]) } else { json!([]) };
    row["custom_fields"] = if random.chance(10) { json!({"tier": random.one(&["gold", "silver"])}) } else { json!({}) };
    row["created"] = random.time().into();
    row["last_updated"] = format!("2026-07-01T{:02}:30:10.{:06}Z", random.below(24), random.below(1_000_000)).into();
    row
}

/// What only one plugin has: what columns hold, and what they do not.
struct Own {
    columns: Map<String, Value>,
    others: Map<String, Value>,
}

fn own(kind: Kind, name: &str, site: &str, random: &mut Random) -> Own {
    let prune = format!("keep-daily={},keep-monthly=6,keep-weekly=4", 3 + random.below(12));
    let server = format!("{}.{site}.example.com", random.one(&["nas01", "nas02", "filer1"]));
    let (columns, others) = match kind {
        Kind::Dir => {
            let path = format!("/srv/{name}");
            (json!({"path": path, "prune_backups": prune, "preallocation": "metadata"}), json!({"is_mountpoint": 1}))
        }
        Kind::LvmThin => (json!({}), json!({"vgname": format!("vg-{name}"), "thinpool": "data"})),
        Kind::Zfs => {
            let pool = format!("tank/{name}");
            let mountpoint = format!("/{pool}");
            (json!({"pool": pool, "mountpoint": mountpoint}), json!({"sparse": 1, "blocksize": "16k"}))
        }
        Kind::Nfs => {
            let export = format!("/export/{site}/{name}");
            (
                json!({"path": format!("/mnt/pve/{name}"), "server": server, "export": export, "prune_backups": prune}),
                json!({"options": "vers=4.2,soft"}),
            )
        }
        Kind::Rbd => (
            json!({"pool": format!("vm-{name}"), "username": "admin", "monhost": "192.0.2.11 192.0.2.12 192.0.2.13"}),
            json!({"krbd": 0}),
        ),
        Kind::CephFs => (
            json!({"path": format!("/mnt/pve/{name}"), "subdir": format!("/{site}"), "prune_backups": prune}),
            json!({"fs-name": "cephfs"}),
        ),
        Kind::Cifs => (
            json!({"path": format!("/mnt/pve/{name}"), "server": server, "share": "media$", "username": "svc-pve"}),
            json!({"domain": "EXAMPLE", "smbversion": "3.1.1"}),
        ),
        Kind::Pbs => (
            json!({
                "server": format!("pbs.{site}.example.com"), "port": 8007, "username": "backup@pbs!pve",
                "datastore": "main", "namespace": site, "prune_backups": prune, "max_protected_backups": -1,
            }),
            json!({"fingerprint": random.fingerprint().to_lowercase()}),
        ),
    };
    Own { columns: object(columns), others: object(others) }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// A few neighbours of the cluster's nodes, as `storage.cfg` lists them.
fn some_nodes(cluster: u32, random: &mut Random) -> String {
    let first = (cluster - 1) * NODES_OF_CLUSTER + 1 + random.below(u64::from(NODES_OF_CLUSTER) - 3) as u32;
    let names: Vec<_> = (first..first + 1 + random.below(3) as u32).map(node_name).collect();
    names.join(",")
}
