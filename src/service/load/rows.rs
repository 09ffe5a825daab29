//! From the rows of a file to those of the tables, by the rules of writing.
use super::super::token::{NewToken, Pepper, Plain};
use super::super::{Tx, endpoint as endpoints, file, rules, token as tokens};
use crate::entity::{
    Decision, JsonText, Kind, Mode, Named, Origin, cluster, endpoint, link_decision, netbox_cluster, netbox_device,
    node, storage, tag, token,
};
use crate::error::{Error, Result};
use crate::secret::{Key, Sealer};
use sea_orm::{ActiveModelTrait, IntoActiveModel, Set};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

fn mode(value: &str) -> Result<Mode> {
    let unknown = || Error::input(format!("`{value}` is none of undefined, standalone, cluster")).within("mode");
    Mode::parse(value).ok_or_else(unknown)
}

fn origin(value: &str) -> Result<Origin> {
    let found = Origin::ALL.into_iter().find(|(_, name)| *name == value).map(|(origin, _)| origin);
    found.ok_or_else(|| Error::input(format!("`{value}` is none of netbox, manual, local")).within("origin"))
}

fn object(field: &str, value: Value) -> Result<JsonText> {
    if value.is_object() { Ok(JsonText(value)) } else { Err(Error::input("must be an object").within(field)) }
}

/// An optional text within its length.
fn optional(kind: Kind, field: &str, value: Option<&str>) -> Result<()> {
    Ok(value.map_or(Ok(()), |value| rules::text(kind, field, value))?)
}

pub(in super::super) fn tag_row(row: file::Tag) -> Result<tag::ActiveModel> {
    rules::filled(Kind::Tag, "name", &row.name)?;
    rules::slug(&row.slug)?;
    rules::color(&row.color)?;
    Ok(tag::ActiveModel { id: Set(row.id), name: Set(row.name), slug: Set(row.slug), color: Set(row.color) })
}

pub(in super::super) fn netbox_cluster_row(row: file::NetBoxCluster) -> Result<netbox_cluster::ActiveModel> {
    rules::filled(Kind::NetBoxCluster, "name", &row.name)?;
    rules::filled(Kind::NetBoxCluster, "display", &row.display)?;
    for (field, value) in [("scope_type", &row.scope_type), ("status", &row.status)] {
        optional(Kind::NetBoxCluster, field, value.as_deref())?;
    }
    let of = |field, given| named(Kind::NetBoxCluster, field, given);
    let (type_id, type_name, type_slug) = of("type", row.r#type)?;
    let (group_id, group_name, group_slug) = of("group", row.group)?;
    let (tenant_id, tenant_name, tenant_slug) = of("tenant", row.tenant)?;
    let (scope_id, scope_name, scope_slug) = of("scope", row.scope)?;
    let model = netbox_cluster::Model {
        id: row.id,
        name: row.name,
        display: row.display,
        origin: origin(&row.origin)?,
        type_id,
        type_name,
        type_slug,
        group_id,
        group_name,
        group_slug,
        tenant_id,
        tenant_name,
        tenant_slug,
        scope_type: row.scope_type,
        scope_id,
        scope_name,
        scope_slug,
        status: row.status,
        netbox_updated: row.netbox_updated,
        missing_since: row.missing_since,
        missed: row.missed,
    };
    Ok(model.into_active_model().reset_all())
}

type NamedColumns = (Option<i32>, Option<String>, Option<String>);

/// The columns of another object of NetBox's that a row names.
fn named(kind: Kind, field: &str, given: Option<file::Named>) -> Result<NamedColumns> {
    if let Some(given) = &given {
        rules::text(kind, field, &given.name)?;
        optional(kind, field, given.slug.as_deref())?;
    }
    Ok(Named::columns(given.map(|given| Named { id: given.id, name: given.name, slug: given.slug })))
}

pub(super) fn decision_row(row: file::LinkDecision) -> Result<link_decision::ActiveModel> {
    let linked = [Kind::Cluster, Kind::Node].iter().any(|kind| kind.table() == row.object_type);
    if !linked {
        return Err(Error::input("is none of proxmox_cluster, proxmox_node").within("object_type"));
    }
    let decision = [Decision::Accepted, Decision::Rejected].into_iter().find(|one| one.value() == row.decision);
    let unknown = || Error::input("is none of accepted, rejected").within("decision");
    let model = link_decision::Model {
        object_type: row.object_type,
        object_id: row.object,
        target_id: row.target,
        decision: decision.ok_or_else(unknown)?,
        actor: row.actor,
        at: row.at,
    };
    Ok(model.into_active_model().reset_all())
}

pub(in super::super) fn netbox_device_row(row: file::NetBoxDevice) -> Result<netbox_device::ActiveModel> {
    optional(Kind::NetBoxDevice, "name", row.name.as_deref())?;
    rules::filled(Kind::NetBoxDevice, "display", &row.display)?;
    for (field, value) in [("serial", &row.serial), ("status", &row.status)] {
        optional(Kind::NetBoxDevice, field, value.as_deref())?;
    }
    let of = |field, given| named(Kind::NetBoxDevice, field, given);
    let (site_id, site_name, site_slug) = of("site", row.site)?;
    let (role_id, role_name, role_slug) = of("role", row.role)?;
    let (tenant_id, tenant_name, tenant_slug) = of("tenant", row.tenant)?;
    let (rack_id, rack_name, _) = of("rack", row.rack)?;
    let address = |value: Option<String>| value.as_deref().map(rules::loaded_address).transpose();
    let model = netbox_device::Model {
        id: row.id,
        name: row.name,
        display: row.display,
        origin: origin(&row.origin)?,
        site_id,
        site_name,
        site_slug,
        role_id,
        role_name,
        role_slug,
        tenant_id,
        tenant_name,
        tenant_slug,
        rack_id,
        rack_name,
        cluster_id: row.cluster,
        serial: row.serial,
        primary_ip4: address(row.primary_ip4)?,
        primary_ip6: address(row.primary_ip6)?,
        status: row.status,
        netbox_updated: row.netbox_updated,
        missing_since: row.missing_since,
        missed: row.missed,
    };
    Ok(model.into_active_model().reset_all())
}

pub(super) fn endpoint_row(mut row: file::Endpoint, sealer: &Sealer, key: &Key) -> Result<endpoint::ActiveModel> {
    let id = row.id;
    let (password, token_value) = (row.password.take(), row.token_value.take());
    let (sealed_password, sealed_token) = (row.sealed_password.take(), row.sealed_token_value.take());
    let mut active = bare_endpoint_row(row)?;
    active.password = Set(sealed(id, "password", password, sealed_password, sealer, key)?);
    active.token_value = Set(sealed(id, "token_value", token_value, sealed_token, sealer, key)?);
    Ok(active)
}

/// An endpoint without its secrets, whatever the file's row holds of them.
pub(in super::super) fn bare_endpoint_row(row: file::Endpoint) -> Result<endpoint::ActiveModel> {
    let kind = Kind::Endpoint;
    rules::filled(kind, "name", &row.name)?;
    rules::port(row.port.into())?;
    for (field, value) in [("username", &row.username), ("token_name", &row.token_name)] {
        rules::text(kind, field, value)?;
    }
    for (field, value) in [("domain", &row.domain), ("version", &row.version), ("repoid", &row.repoid)] {
        optional(kind, field, value.as_deref())?;
    }
    Ok(endpoint::ActiveModel {
        id: Set(row.id),
        name: Set(row.name),
        domain: Set(row.domain),
        ip_address: Set(row.ip_address.as_deref().map(rules::loaded_address).transpose()?),
        port: Set(row.port),
        mode: Set(mode(&row.mode)?),
        version: Set(row.version),
        repoid: Set(row.repoid),
        username: Set(row.username),
        password: Set(None),
        token_name: Set(row.token_name),
        token_value: Set(None),
        verify_ssl: Set(row.verify_ssl),
        tls_fingerprint: Set(row.tls_fingerprint.as_deref().map(rules::fingerprint).transpose()?),
        tls_ca: Set(row.tls_ca.as_deref().map(rules::certificates).transpose()?),
        enabled: Set(row.enabled),
        sync_interval: Set(row.sync_interval.map(rules::interval).transpose()?),
        custom_fields: Set(object("custom_fields", row.custom_fields)?),
        created: Set(row.created),
        last_updated: Set(row.last_updated),
    })
}

/// A secret in clear is sealed under this key; a sealed one must open at this place, under whichever key is known. An
/// empty one is none.
fn sealed(
    id: i32,
    column: &'static str,
    plain: Option<SecretString>,
    sealed: Option<String>,
    sealer: &Sealer,
    key: &Key,
) -> Result<Option<String>> {
    let row = id.to_string();
    let place = endpoints::place(&row, column);
    match (plain.filter(|plain| !plain.expose_secret().is_empty()), sealed) {
        (Some(_), Some(_)) => Err(Error::input("is given in clear and sealed").within(column)),
        (Some(plain), None) => key.seal(plain.expose_secret().as_bytes(), place).map(Some),
        (None, Some(sealed)) => match sealer.open(&sealed, place) {
            Ok(_) => Ok(Some(sealed)),
            Err(error) => Err(Error::input(error.to_string()).within(format!("sealed_{column}"))),
        },
        (None, None) => Ok(None),
    }
}

pub(in super::super) fn cluster_row(row: file::Cluster) -> Result<cluster::ActiveModel> {
    rules::filled(Kind::Cluster, "name", &row.name)?;
    rules::text(Kind::Cluster, "cluster_id", &row.cluster_id)?;
    if row.nodes_count < 0 {
        return Err(Error::input("must not be negative").within("nodes_count"));
    }
    Ok(cluster::ActiveModel {
        id: Set(row.id),
        endpoint_id: Set(row.endpoint),
        netbox_cluster_id: Set(row.netbox_cluster),
        name: Set(row.name),
        cluster_id: Set(row.cluster_id),
        mode: Set(mode(&row.mode)?),
        nodes_count: Set(row.nodes_count),
        quorate: Set(row.quorate),
        version: Set(row.version),
        local_cluster_id: Set(row.local_cluster),
        missing_since: Set(row.missing_since),
        stale: Set(row.stale),
        custom_fields: Set(object("custom_fields", row.custom_fields)?),
        created: Set(row.created),
        last_updated: Set(row.last_updated),
    })
}

pub(in super::super) fn node_row(row: file::Node) -> Result<node::ActiveModel> {
    rules::filled(Kind::Node, "name", &row.name)?;
    rules::text(Kind::Node, "ssl_fingerprint", &row.ssl_fingerprint)?;
    rules::text(Kind::Node, "support_level", &row.support_level)?;
    Ok(node::ActiveModel {
        id: Set(row.id),
        endpoint_id: Set(row.endpoint),
        proxmox_cluster_id: Set(row.proxmox_cluster),
        netbox_device_id: Set(row.netbox_device),
        name: Set(row.name),
        node_id: Set(row.node_id),
        ip_address: Set(row.ip_address.as_deref().map(rules::loaded_address).transpose()?),
        online: Set(row.online),
        local: Set(row.local),
        cpu_usage: Set(row.cpu_usage),
        max_cpu: Set(row.max_cpu),
        memory_usage: Set(row.memory_usage),
        max_memory: Set(row.max_memory),
        ssl_fingerprint: Set(row.ssl_fingerprint),
        support_level: Set(row.support_level),
        metrics_at: Set(row.metrics_at),
        missing_since: Set(row.missing_since),
        stale: Set(row.stale),
        custom_fields: Set(object("custom_fields", row.custom_fields)?),
        created: Set(row.created),
        last_updated: Set(row.last_updated),
    })
}

pub(in super::super) fn storage_row(row: file::Storage) -> Result<storage::ActiveModel> {
    rules::filled(Kind::Storage, "name", &row.name)?;
    for (field, value) in [
        ("storage_type", &row.storage_type),
        ("content", &row.content),
        ("path", &row.path),
        ("nodes", &row.nodes),
        ("server", &row.server),
        ("username", &row.username),
        ("export", &row.export),
        ("share", &row.share),
        ("pool", &row.pool),
        ("monhost", &row.monhost),
        ("namespace", &row.namespace),
        ("datastore", &row.datastore),
        ("subdir", &row.subdir),
        ("mountpoint", &row.mountpoint),
        ("is_mountpoint", &row.is_mountpoint),
        ("preallocation", &row.preallocation),
        ("format", &row.format),
        ("prune_backups", &row.prune_backups),
    ] {
        optional(Kind::Storage, field, value.as_deref())?;
    }
    Ok(storage::ActiveModel {
        id: Set(row.id),
        cluster_id: Set(row.cluster),
        source_id: Set(row.source),
        name: Set(row.name),
        storage_type: Set(row.storage_type),
        content: Set(row.content),
        path: Set(row.path),
        nodes: Set(row.nodes),
        shared: Set(row.shared),
        enabled: Set(row.enabled),
        server: Set(row.server),
        port: Set(row.port),
        username: Set(row.username),
        export: Set(row.export),
        share: Set(row.share),
        pool: Set(row.pool),
        monhost: Set(row.monhost),
        namespace: Set(row.namespace),
        datastore: Set(row.datastore),
        subdir: Set(row.subdir),
        mountpoint: Set(row.mountpoint),
        is_mountpoint: Set(row.is_mountpoint),
        preallocation: Set(row.preallocation),
        format: Set(row.format),
        prune_backups: Set(row.prune_backups),
        max_protected_backups: Set(row.max_protected_backups),
        raw_config: Set(JsonText(row.raw_config)),
        missing_since: Set(row.missing_since),
        stale: Set(row.stale),
        custom_fields: Set(object("custom_fields", row.custom_fields)?),
        created: Set(row.created),
        last_updated: Set(row.last_updated),
    })
}

pub(super) async fn token_row(
    tx: &Tx,
    pepper: &Pepper,
    with_file: bool,
    row: file::Token,
) -> Result<token::ActiveModel> {
    let new = NewToken {
        name: row.name,
        write_enabled: row.write_enabled,
        enabled: row.enabled,
        expires: row.expires,
        allowed_ips: row.allowed_ips,
        permissions: row.permissions,
    };
    tokens::check(tx, &new).await?;
    let (key, digest) = match (&row.value, row.digest) {
        (Some(value), _) => {
            let wrong = || Error::input("is neither a v1 nor a v2 token").within("value");
            let plain = Plain::parse(value.expose_secret()).ok_or_else(wrong)?;
            (plain.key().map(str::to_owned), Some(plain.digest(pepper)?))
        }
        (None, Some(_)) if !with_file => {
            return Err(Error::input("is of no use without the file's pepper").within("digest"));
        }
        (None, digest) => (row.key, digest),
    };
    let hex = |digest: &String| {
        digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    if !digest.as_ref().is_none_or(hex) {
        return Err(Error::input("is not an HMAC-SHA-256 in hex").within("digest"));
    }
    let plain = |key: &String| key.len() == 12 && key.bytes().all(|b| b.is_ascii_alphanumeric());
    if !key.as_ref().is_none_or(plain) {
        return Err(Error::input("must be 12 letters and digits").within("key"));
    }
    Ok(token::ActiveModel {
        name: Set(new.name),
        key: Set(key),
        digest: Set(digest),
        write_enabled: Set(new.write_enabled),
        enabled: Set(new.enabled),
        expires: Set(new.expires),
        allowed_ips: Set(JsonText(json!(new.allowed_ips))),
        permissions: Set(JsonText(Value::Array(new.permissions))),
        created: Set(row.created),
        last_used: Set(row.last_used),
        ..Default::default()
    })
}
