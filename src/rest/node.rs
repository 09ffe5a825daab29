//! Proxmox nodes in REST.
use super::body::Item;
use super::document::time;
use super::field::{CREATED, CUSTOM_FIELDS, DISPLAY, Field, ID, LAST_UPDATED, Spec, TAGS, Type, URL};
use super::resource::Resource;
use crate::entity::{Kind, node};
use crate::service::node::Patch;
use serde::ser::SerializeMap;

const INT: Type = Type::Int(i32::MIN, i32::MAX);

static SPEC: Spec = Spec {
    kind: Kind::Node,
    title: "Proxmox node",
    plural: "Proxmox nodes",
    about: "A Proxmox VE hypervisor node.",
    fields: &[
        ID,
        URL,
        DISPLAY,
        Field::new("endpoint", "Endpoint", Type::Reference(Kind::Endpoint), "The endpoint that shows it.").required(),
        Field::new(
            "proxmox_cluster",
            "Proxmox cluster",
            Type::Reference(Kind::Cluster),
            "The Proxmox cluster that it is a member of.",
        )
        .nullable(),
        Field::new(
            "netbox_device",
            "NetBox device",
            Type::Reference(Kind::NetBoxDevice),
            "The linked device of NetBox.",
        )
        .nullable(),
        Field::new("name", "Node name", Type::Text, "Its name in Proxmox, unique at the endpoint.").required(),
        Field::new("node_id", "Node ID", INT, "The number that Proxmox gave it in its cluster.").nullable(),
        Field::new(
            "ip_address",
            "IP address",
            Type::Address,
            "Its management address, IPv4 or IPv6. A new node must have one; later it may be null.",
        )
        .required()
        .nullable(),
        Field::new("online", "Online", Type::Bool, "Whether it is online."),
        Field::new("local", "Local", Type::Bool, "Whether it is the node that answers at the endpoint."),
        Field::new("cpu_usage", "CPU usage", Type::Float, "CPU usage in percent, 0–100, as Proxmox reports it.")
            .nullable(),
        Field::new("cpu_usage_percent", "CPU usage percent", Type::Float, "The same as cpu_usage.")
            .nullable()
            .read_only(),
        Field::new("max_cpu", "Max CPU", INT, "CPU threads.").nullable(),
        Field::new("memory_usage", "Memory usage", Type::BigInt, "Used memory in bytes.").nullable(),
        Field::new(
            "memory_usage_percent",
            "Memory usage percent",
            Type::Float,
            "Used memory in percent of all; null when a figure is missing or the size is 0.",
        )
        .nullable()
        .read_only(),
        Field::new("max_memory", "Max memory", Type::BigInt, "Memory in bytes.").nullable(),
        Field::new("ssl_fingerprint", "SSL fingerprint", Type::Text, "Fingerprint of its TLS certificate."),
        Field::new("support_level", "Support level", Type::Text, "Level of its Proxmox subscription; empty when none."),
        TAGS,
        CUSTOM_FIELDS,
        CREATED,
        LAST_UPDATED,
    ],
    brief: &["id", "url", "display", "name", "online"],
    filters: &[
        "id",
        "endpoint",
        "proxmox_cluster",
        "netbox_device",
        "name",
        "ip_address",
        "online",
        "local",
        "stale",
        "created",
        "last_updated",
    ],
    upserts: false,
};

impl Resource for node::Model {
    fn spec() -> &'static Spec {
        &SPEC
    }

    fn reference(&self, field: &str) -> Option<i32> {
        match field {
            "endpoint" => Some(self.endpoint_id),
            "proxmox_cluster" => self.proxmox_cluster_id,
            _ => self.netbox_device_id,
        }
    }

    fn write<S: SerializeMap>(&self, field: &'static str, to: &mut S) -> Result<(), S::Error> {
        match field {
            "name" => to.serialize_entry(field, &self.name),
            "node_id" => to.serialize_entry(field, &self.node_id),
            "ip_address" => to.serialize_entry(field, &self.ip_address),
            "online" => to.serialize_entry(field, &self.online),
            "local" => to.serialize_entry(field, &self.local),
            "cpu_usage" | "cpu_usage_percent" => to.serialize_entry(field, &self.cpu_usage),
            "max_cpu" => to.serialize_entry(field, &self.max_cpu),
            "memory_usage" => to.serialize_entry(field, &self.memory_usage),
            "memory_usage_percent" => to.serialize_entry(field, &self.memory_usage_percent()),
            "max_memory" => to.serialize_entry(field, &self.max_memory),
            "ssl_fingerprint" => to.serialize_entry(field, &self.ssl_fingerprint),
            "support_level" => to.serialize_entry(field, &self.support_level),
            "custom_fields" => to.serialize_entry(field, &self.custom_fields.0),
            "created" => to.serialize_entry(field, &time(self.created)),
            _ => to.serialize_entry(field, &time(self.last_updated)),
        }
    }

    fn patch(item: &mut Item) -> Patch {
        Patch {
            endpoint: item.reference("endpoint"),
            proxmox_cluster: item.reference("proxmox_cluster"),
            netbox_device: item.reference("netbox_device"),
            name: item.text("name"),
            node_id: item.int("node_id"),
            ip_address: item.address("ip_address"),
            online: item.bool("online"),
            local: item.bool("local"),
            cpu_usage: item.float("cpu_usage"),
            max_cpu: item.int("max_cpu"),
            memory_usage: item.int("memory_usage"),
            max_memory: item.int("max_memory"),
            ssl_fingerprint: item.text("ssl_fingerprint"),
            support_level: item.text("support_level"),
            tags: item.tags("tags"),
            custom_fields: item.json("custom_fields"),
        }
    }
}
