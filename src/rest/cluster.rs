//! Proxmox clusters in REST.
use super::body::Item;
use super::document::time;
use super::field::{CREATED, CUSTOM_FIELDS, DISPLAY, Field, ID, LAST_UPDATED, Spec, TAGS, Type, URL};
use super::resource::Resource;
use crate::entity::{Kind, cluster};
use crate::service::cluster::Patch;
use serde::ser::SerializeMap;

static SPEC: Spec = Spec {
    kind: Kind::Cluster,
    title: "Proxmox cluster",
    plural: "Proxmox clusters",
    about: "A Proxmox VE cluster or standalone host, as one endpoint shows it.",
    fields: &[
        ID,
        URL,
        DISPLAY,
        Field::new("endpoint", "Endpoint", Type::Reference(Kind::Endpoint), "The endpoint that shows it.").required(),
        Field::new(
            "netbox_cluster",
            "NetBox cluster",
            Type::Reference(Kind::NetBoxCluster),
            "The linked cluster of NetBox's virtualization.",
        )
        .nullable(),
        Field::new("name", "Cluster name", Type::Text, "Its name in Proxmox, unique at the endpoint.").required(),
        Field::new("cluster_id", "Cluster ID", Type::Text, "Proxmox's own identifier; empty when unknown."),
        Field::new("mode", "Mode", Type::Mode, "How it is deployed.").required(),
        Field::new("nodes_count", "Nodes count", Type::Int(0, i32::MAX), "Members as Proxmox reports them."),
        Field::new("node_count", "Node count", Type::Int(0, i32::MAX), "The same as nodes_count.").read_only(),
        Field::new("quorate", "Quorate", Type::Bool, "Whether corosync has a quorum."),
        Field::new("version", "Version", Type::Int(i32::MIN, i32::MAX), "Version of corosync's configuration.")
            .nullable(),
        TAGS,
        CUSTOM_FIELDS,
        CREATED,
        LAST_UPDATED,
    ],
    brief: &["id", "url", "display", "name"],
    filters: &["id", "endpoint", "netbox_cluster", "name", "mode", "quorate", "stale", "created", "last_updated"],
    upserts: false,
};

impl Resource for cluster::Model {
    fn spec() -> &'static Spec {
        &SPEC
    }

    fn reference(&self, field: &str) -> Option<i32> {
        match field {
            "endpoint" => Some(self.endpoint_id),
            _ => self.netbox_cluster_id,
        }
    }

    fn write<S: SerializeMap>(&self, field: &'static str, to: &mut S) -> Result<(), S::Error> {
        match field {
            "name" => to.serialize_entry(field, &self.name),
            "cluster_id" => to.serialize_entry(field, &self.cluster_id),
            "mode" => to.serialize_entry(field, &super::document::Choice(self.mode)),
            "nodes_count" | "node_count" => to.serialize_entry(field, &self.nodes_count),
            "quorate" => to.serialize_entry(field, &self.quorate),
            "version" => to.serialize_entry(field, &self.version),
            "custom_fields" => to.serialize_entry(field, &self.custom_fields.0),
            "created" => to.serialize_entry(field, &time(self.created)),
            _ => to.serialize_entry(field, &time(self.last_updated)),
        }
    }

    fn patch(item: &mut Item) -> Patch {
        Patch {
            endpoint: item.reference("endpoint"),
            netbox_cluster: item.reference("netbox_cluster"),
            name: item.text("name"),
            cluster_id: item.text("cluster_id"),
            mode: item.mode("mode"),
            nodes_count: item.int("nodes_count"),
            quorate: item.bool("quorate"),
            version: item.int("version"),
            tags: item.tags("tags"),
            custom_fields: item.json("custom_fields"),
        }
    }
}
