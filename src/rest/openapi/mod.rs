//! The OpenAPI document: made of the same tables from which bodies are read, filters understood and answers written.
mod operations;
mod parameters;
mod schemas;
mod sync;

use super::field::Spec;
use super::resource::Resource;
use super::roots;
use crate::entity;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// The resources with their list routes; the last two are names that later versions of the plugin use.
pub fn resources() -> impl Iterator<Item = (&'static str, &'static Spec)> {
    let specs = [
        entity::cluster::Model::spec(),
        entity::node::Model::spec(),
        entity::storage::Model::spec(),
        entity::endpoint::Model::spec(),
        entity::netbox_cluster::Model::spec(),
        entity::netbox_device::Model::spec(),
        entity::tag::Model::spec(),
    ];
    let aliases = [
        ("/api/plugins/proxbox/proxmox-clusters/", entity::cluster::Model::spec()),
        ("/api/plugins/proxbox/proxmox-nodes/", entity::node::Model::spec()),
    ];
    specs.into_iter().map(|spec| (spec.kind.rest_path(), spec)).chain(aliases)
}

/// The document's text up to where the server's address follows. It is asked for without a token, and must cost nothing.
static FRONT: LazyLock<String> = LazyLock::new(|| {
    let text = build().to_string();
    text.strip_suffix('}').unwrap_or(&text).to_owned()
});

/// The document, as JSON, for a client that reaches the server here.
pub fn document(base: &str) -> String {
    let servers = json!([{"url": if base.is_empty() { "/" } else { base }}]);
    format!("{},\"servers\":{servers}}}", *FRONT)
}

fn build() -> Value {
    let mut paths = Map::new();
    for (path, spec) in resources() {
        paths.insert(path.to_owned(), operations::of_list(path, spec));
        paths.insert(format!("{path}{{id}}/"), operations::of_one(path, spec));
    }
    paths.extend(sync::paths());
    for path in roots::PATHS {
        paths.insert(path.to_owned(), operations::of_page(path));
    }
    paths.insert("/api/schema/".to_owned(), operations::of_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "proxbox-graphql REST API",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "The topology of Proxmox VE installations, as clients of the NetBox plugin netbox-proxbox know it.",
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": tags(),
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "`Token <value>` or `Bearer <value>`; the value decides which version of token it is.",
            }},
            "headers": operations::headers(),
            "responses": operations::responses(),
            "schemas": schemas::all(),
        },
    })
}

const ABOUT: &str = "\
Lists come in pages (`limit` and `offset`, or `start`), filtered by the parameters that each list names. Parameters of \
one name may be repeated: any of the values fits then, for negations none of them. Unknown parameters, body fields and \
keys are passed over and named in the header `X-Ignored`; with `Prefer: handling=strict` they are refused.\n\n\
Whoever has no token, or one that may not do something, is told 403. `Accept: text/csv` and `application/x-ndjson` on \
lists stream all rows unless `limit` is given.";

fn tags() -> Value {
    let mut tags = Vec::new();
    for (path, spec) in resources().filter(|(path, spec)| *path == spec.kind.rest_path()) {
        tags.push(json!({"name": tag(path), "description": spec.about}));
    }
    let about = "Runs of sync from Proxmox: what they saw, what they changed, and how they ended.";
    tags.push(json!({"name": tag(super::sync::PATH), "description": about}));
    tags.push(json!({"name": "server", "description": "Where routes are, and what the server is."}));
    Value::Array(tags)
}

/// The name under which the operations of a resource stand together.
fn tag(path: &str) -> String {
    path.trim_matches('/').trim_start_matches("api/").trim_start_matches("plugins/proxbox/").replace('/', " ")
}

/// A reference to a schema.
fn schema(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}
