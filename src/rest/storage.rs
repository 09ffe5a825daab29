//! Proxmox storages in REST.
use super::body::Item;
use super::document::time;
use super::field::{CREATED, CUSTOM_FIELDS, DISPLAY, Field, ID, LAST_UPDATED, Spec, TAGS, Type, URL};
use super::resource::Resource;
use crate::entity::{Kind, storage};
use crate::service::storage::Patch;
use serde::ser::SerializeMap;

/// Most of what Proxmox configures is a text that may be unknown.
const fn text(name: &'static str, label: &'static str, help: &'static str) -> Field {
    Field::new(name, label, Type::Text, help).nullable()
}

static SPEC: Spec = Spec {
    kind: Kind::Storage,
    title: "Proxmox storage",
    plural: "Proxmox storages",
    about: "A Proxmox VE storage of a cluster. A POST of an existing (cluster, name) changes it.",
    fields: &[
        ID,
        URL,
        DISPLAY,
        Field::new(
            "cluster",
            "Cluster",
            Type::Reference(Kind::NetBoxCluster),
            "The NetBox cluster that it belongs to.",
        )
        .required(),
        Field::new("name", "Name", Type::Text, "Its id in Proxmox, unique in the cluster.").required(),
        text("storage_type", "Storage type", "Proxmox's storage plugin, such as dir, lvmthin, nfs or pbs."),
        text("content", "Content", "What it may hold: a comma-separated list such as images,iso,backup."),
        text("path", "Path", "Path in the file system."),
        text("nodes", "Nodes", "The nodes that may use it: a comma-separated list; empty = all."),
        Field::new("shared", "Shared", Type::Bool, "Whether all nodes see the same content."),
        Field::new("enabled", "Enabled", Type::Bool, "Whether Proxmox uses it."),
        text("server", "Server", "Host name or address of the remote server."),
        Field::new("port", "Port", Type::Int(0, i32::MAX), "Port of the remote server.").nullable(),
        text("username", "Username", "User on the remote server."),
        text("export", "Export", "Exported path (NFS)."),
        text("share", "Share", "Name of the share (CIFS)."),
        text("pool", "Pool", "Name of the pool (Ceph, ZFS)."),
        text("monhost", "Monhost", "Ceph monitors."),
        text("namespace", "Namespace", "Namespace (PBS, Ceph)."),
        text("datastore", "Datastore", "Datastore (PBS)."),
        text("subdir", "Subdir", "Directory within the storage."),
        text("mountpoint", "Mountpoint", "Where it is mounted."),
        text("is_mountpoint", "Is mountpoint", "Proxmox's flag or path; true and false are taken as \"1\" and \"0\"."),
        text("preallocation", "Preallocation", "How disk images are preallocated."),
        text("format", "Format", "Default format of images."),
        text("prune_backups", "Prune backups", "Which backups are kept."),
        Field::new(
            "max_protected_backups",
            "Max protected backups",
            Type::Int(i32::MIN, i32::MAX),
            "How many backups may be protected; -1 = any number.",
        )
        .nullable(),
        Field::new("raw_config", "Raw config", Type::Json, "The whole configuration as Proxmox tells it."),
        TAGS,
        CUSTOM_FIELDS,
        CREATED,
        LAST_UPDATED,
    ],
    brief: &["id", "url", "display", "cluster", "name"],
    filters: &[
        "id",
        "cluster",
        "cluster__name",
        "name",
        "storage_type",
        "content",
        "path",
        "nodes",
        "shared",
        "enabled",
        "server",
        "port",
        "format",
        "datastore",
        "pool",
        "stale",
        "created",
        "last_updated",
    ],
    upserts: true,
};

impl Resource for storage::Model {
    fn spec() -> &'static Spec {
        &SPEC
    }

    fn reference(&self, _: &str) -> Option<i32> {
        Some(self.cluster_id)
    }

    fn write<S: SerializeMap>(&self, field: &'static str, to: &mut S) -> Result<(), S::Error> {
        match field {
            "name" => to.serialize_entry(field, &self.name),
            "storage_type" => to.serialize_entry(field, &self.storage_type),
            "content" => to.serialize_entry(field, &self.content),
            "path" => to.serialize_entry(field, &self.path),
            "nodes" => to.serialize_entry(field, &self.nodes),
            "shared" => to.serialize_entry(field, &self.shared),
            "enabled" => to.serialize_entry(field, &self.enabled),
            "server" => to.serialize_entry(field, &self.server),
            "port" => to.serialize_entry(field, &self.port),
            "username" => to.serialize_entry(field, &self.username),
            "export" => to.serialize_entry(field, &self.export),
            "share" => to.serialize_entry(field, &self.share),
            "pool" => to.serialize_entry(field, &self.pool),
            "monhost" => to.serialize_entry(field, &self.monhost),
            "namespace" => to.serialize_entry(field, &self.namespace),
            "datastore" => to.serialize_entry(field, &self.datastore),
            "subdir" => to.serialize_entry(field, &self.subdir),
            "mountpoint" => to.serialize_entry(field, &self.mountpoint),
            "is_mountpoint" => to.serialize_entry(field, &self.is_mountpoint),
            "preallocation" => to.serialize_entry(field, &self.preallocation),
            "format" => to.serialize_entry(field, &self.format),
            "prune_backups" => to.serialize_entry(field, &self.prune_backups),
            "max_protected_backups" => to.serialize_entry(field, &self.max_protected_backups),
            "raw_config" => to.serialize_entry(field, &self.raw_config.0),
            "custom_fields" => to.serialize_entry(field, &self.custom_fields.0),
            "created" => to.serialize_entry(field, &time(self.created)),
            _ => to.serialize_entry(field, &time(self.last_updated)),
        }
    }

    fn patch(item: &mut Item) -> Patch {
        item.flag_as_text("is_mountpoint");
        Patch {
            cluster: item.reference("cluster"),
            name: item.text("name"),
            storage_type: item.text("storage_type"),
            content: item.text("content"),
            path: item.text("path"),
            nodes: item.text("nodes"),
            shared: item.bool("shared"),
            enabled: item.bool("enabled"),
            server: item.text("server"),
            port: item.int("port"),
            username: item.text("username"),
            export: item.text("export"),
            share: item.text("share"),
            pool: item.text("pool"),
            monhost: item.text("monhost"),
            namespace: item.text("namespace"),
            datastore: item.text("datastore"),
            subdir: item.text("subdir"),
            mountpoint: item.text("mountpoint"),
            is_mountpoint: item.text("is_mountpoint"),
            preallocation: item.text("preallocation"),
            format: item.text("format"),
            prune_backups: item.text("prune_backups"),
            max_protected_backups: item.int("max_protected_backups"),
            raw_config: item.json("raw_config"),
            tags: item.tags("tags"),
            custom_fields: item.json("custom_fields"),
        }
    }
}
