//! References to NetBox's clusters and devices, and tags, in REST: what nested urls lead to.
use super::body::Item;
use super::field::{DISPLAY, Field, ID, Spec, Type, URL};
use super::resource::Resource;
use crate::entity::{Kind, netbox_cluster, netbox_device, tag};
use crate::service::netbox::Patch;
use crate::service::tag::Patch as TagPatch;
use serde::ser::SerializeMap;

/// NetBox gave the id; only a new reference takes it.
const GIVEN_ID: Field = Field::new("id", "ID", Type::Id, "The object's number in NetBox.").required().once();
const GIVEN_DISPLAY: Field = Field::new(
    "display",
    "Display",
    Type::Display,
    "What people read where it is named; the name unless told otherwise.",
);

static CLUSTER: Spec = Spec {
    kind: Kind::NetBoxCluster,
    title: "NetBox cluster",
    plural: "NetBox clusters",
    about: "A reference to a cluster of NetBox's virtualization.",
    fields: &[GIVEN_ID, URL, GIVEN_DISPLAY, Field::new("name", "Name", Type::Text, "Its name in NetBox.").required()],
    brief: &["id", "url", "display", "name"],
    filters: &["id", "name"],
    upserts: false,
};

static DEVICE: Spec = Spec {
    kind: Kind::NetBoxDevice,
    title: "NetBox device",
    plural: "NetBox devices",
    about: "A reference to a device of NetBox.",
    fields: &[
        GIVEN_ID,
        URL,
        GIVEN_DISPLAY,
        Field::new("name", "Name", Type::Text, "Its name in NetBox, which may be missing.").nullable(),
    ],
    brief: &["id", "url", "display", "name"],
    filters: &["id", "name"],
    upserts: false,
};

static TAG: Spec = Spec {
    kind: Kind::Tag,
    title: "tag",
    plural: "tags",
    about: "A tag that objects carry.",
    fields: &[
        ID,
        URL,
        DISPLAY,
        Field::new("name", "Name", Type::Text, "Its name, unique.").required(),
        Field::new("slug", "Slug", Type::Text, "Its name in URLs and filters, unique: letters, digits, - and _.")
            .required(),
        Field::new("color", "Color", Type::Text, "Six hexadecimal digits in lower case; 9e9e9e unless told otherwise."),
    ],
    brief: &["id", "url", "display", "name", "slug", "color"],
    filters: &["id", "name", "slug", "color"],
    upserts: false,
};

fn patch(item: &mut Item) -> Patch {
    Patch { id: item.int("id"), name: item.text("name"), display: item.text("display") }
}

impl Resource for netbox_cluster::Model {
    fn spec() -> &'static Spec {
        &CLUSTER
    }

    fn reference(&self, _: &str) -> Option<i32> {
        None
    }

    fn write<S: SerializeMap>(&self, field: &'static str, to: &mut S) -> Result<(), S::Error> {
        to.serialize_entry(field, &self.name)
    }

    fn patch(item: &mut Item) -> Patch {
        patch(item)
    }
}

impl Resource for netbox_device::Model {
    fn spec() -> &'static Spec {
        &DEVICE
    }

    fn reference(&self, _: &str) -> Option<i32> {
        None
    }

    fn write<S: SerializeMap>(&self, field: &'static str, to: &mut S) -> Result<(), S::Error> {
        to.serialize_entry(field, &self.name)
    }

    fn patch(item: &mut Item) -> Patch {
        patch(item)
    }
}

impl Resource for tag::Model {
    fn spec() -> &'static Spec {
        &TAG
    }

    fn reference(&self, _: &str) -> Option<i32> {
        None
    }

    fn write<S: SerializeMap>(&self, field: &'static str, to: &mut S) -> Result<(), S::Error> {
        match field {
            "name" => to.serialize_entry(field, &self.name),
            "slug" => to.serialize_entry(field, &self.slug),
            _ => to.serialize_entry(field, &self.color),
        }
    }

    fn patch(item: &mut Item) -> TagPatch {
        TagPatch { name: item.text("name"), slug: item.text("slug"), color: item.text("color") }
    }
}
