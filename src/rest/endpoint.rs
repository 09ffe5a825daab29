//! Proxmox endpoints in REST. Their secrets are written, never read.
use super::body::{Item, Verb};
use super::document::time;
use super::field::{CREATED, CUSTOM_FIELDS, DISPLAY, Field, ID, LAST_UPDATED, Spec, TAGS, Type, URL};
use super::resource::Resource;
use crate::entity::{Kind, endpoint};
use crate::service::endpoint::Patch;
use serde::ser::SerializeMap;

static SPEC: Spec = Spec {
    kind: Kind::Endpoint,
    title: "Proxmox endpoint",
    plural: "Proxmox endpoints",
    about: "A Proxmox VE installation as this server reaches it. It needs a domain or an ip_address.",
    fields: &[
        ID,
        URL,
        DISPLAY,
        Field::new("name", "Name", Type::Text, "Its name, unique together with the host.").required(),
        Field::new(
            "ip_address",
            "IP address",
            Type::Address,
            "Its address, IPv4 or IPv6, goes before the domain; {\"address\": …} is taken too.",
        )
        .nullable(),
        Field::new("domain", "Domain", Type::Text, "Its host name.").nullable(),
        Field::new("port", "Port", Type::Int(1, 65_535), "TCP port of the Proxmox API; 8006 unless told otherwise."),
        Field::new("mode", "Mode", Type::Mode, "How it is deployed.").required(),
        Field::new("version", "Version", Type::Text, "Version of Proxmox VE.").nullable(),
        Field::new("repoid", "Repoid", Type::Text, "Short hash of the installed release.").nullable(),
        Field::new("username", "Username", Type::Text, "User with realm; root@pam unless told otherwise."),
        Field::new("password", "Password", Type::Secret, "Password of the user, never shown; null removes it.")
            .nullable()
            .write_only(),
        Field::new("token_name", "Token name", Type::Text, "Name of the user's API token; empty when none."),
        Field::new(
            "token_value",
            "Token value",
            Type::Secret,
            "Secret of the API token, never shown; null removes it.",
        )
        .nullable()
        .write_only(),
        Field::new(
            "verify_ssl",
            "Verify SSL",
            Type::Bool,
            "Whether its certificate is verified; false unless told otherwise.",
        ),
        TAGS,
        CUSTOM_FIELDS,
        CREATED,
        LAST_UPDATED,
    ],
    brief: &["id", "url", "display", "name"],
    filters: &["id", "name", "domain", "ip_address", "mode", "created", "last_updated"],
    upserts: false,
};

impl Resource for endpoint::Model {
    fn spec() -> &'static Spec {
        &SPEC
    }

    fn reference(&self, _: &str) -> Option<i32> {
        None
    }

    fn write<S: SerializeMap>(&self, field: &'static str, to: &mut S) -> Result<(), S::Error> {
        match field {
            "name" => to.serialize_entry(field, &self.name),
            "ip_address" => to.serialize_entry(field, &self.ip_address),
            "domain" => to.serialize_entry(field, &self.domain),
            "port" => to.serialize_entry(field, &self.port),
            "mode" => to.serialize_entry(field, &super::document::Choice(self.mode)),
            "version" => to.serialize_entry(field, &self.version),
            "repoid" => to.serialize_entry(field, &self.repoid),
            "username" => to.serialize_entry(field, &self.username),
            "token_name" => to.serialize_entry(field, &self.token_name),
            "verify_ssl" => to.serialize_entry(field, &self.verify_ssl),
            "custom_fields" => to.serialize_entry(field, &self.custom_fields.0),
            "created" => to.serialize_entry(field, &time(self.created)),
            _ => to.serialize_entry(field, &time(self.last_updated)),
        }
    }

    fn patch(item: &mut Item) -> Patch {
        let mut patch = Patch {
            name: item.text("name"),
            domain: item.text("domain"),
            ip_address: item.address("ip_address"),
            port: item.int("port"),
            mode: item.mode("mode"),
            version: item.text("version"),
            repoid: item.text("repoid"),
            username: item.text("username"),
            password: item.secret("password"),
            token_name: item.text("token_name"),
            token_value: item.secret("token_value"),
            verify_ssl: item.bool("verify_ssl"),
            tags: item.tags("tags"),
            custom_fields: item.json("custom_fields"),
            ..Patch::default()
        };
        // The plugin's default, which its clients count on; other doors verify.
        if item.verb() == Verb::Create && patch.verify_ssl.is_none() {
            patch.verify_ssl = Some(Some(false));
        }
        patch
    }
}
