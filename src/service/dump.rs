//! Dumping the database into a file that `load` reads back to the same rows. The change log stays behind.
use super::file::{self, File};
use super::ids;
use super::token::Pepper;
use crate::db::Db;
use crate::entity::{
    Kind, Named, Resource, cluster, endpoint, link_decision, netbox_cluster, netbox_device, node, storage, tag,
    tag_assignment, token,
};
use crate::error::{Error, Result};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, IsolationLevel, QueryOrder, TransactionTrait};
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;

/// Everything the database holds, at one moment. Secrets only if asked for, and then sealed or as digests.
pub async fn dump(db: &Db, with_secrets: bool) -> Result<File> {
    // One snapshot, so that no reference dangles; on SQLite every transaction is one, PostgreSQL needs to be told.
    let isolation = (db.backend() == DbBackend::Postgres).then_some(IsolationLevel::RepeatableRead);
    let tx = db.read.begin_with_config(isolation, None).await?;
    let mut tags: HashMap<(String, i32), Vec<i32>> = HashMap::new();
    for row in tag_assignment::Entity::find().order_by_asc(tag_assignment::Column::TagId).all(&tx).await? {
        tags.entry((row.object_type, row.object_id)).or_default().push(row.tag_id);
    }
    let mut tags_of = |kind: Kind, id| tags.remove(&(kind.table().to_owned(), id)).unwrap_or_default();
    let file = File {
        tags: rows::<tag::Entity>(&tx).await?.into_iter().map(tag_of).collect(),
        netbox_clusters: rows::<netbox_cluster::Entity>(&tx).await?.into_iter().map(netbox_cluster_of).collect(),
        netbox_devices: rows::<netbox_device::Entity>(&tx).await?.into_iter().map(netbox_device_of).collect(),
        proxmox_endpoints: tagged::<endpoint::Entity, _>(&tx, &mut tags_of, |row, tags| {
            endpoint_of(row, tags, with_secrets)
        })
        .await?,
        proxmox_clusters: tagged::<cluster::Entity, _>(&tx, &mut tags_of, cluster_of).await?,
        proxmox_nodes: tagged::<node::Entity, _>(&tx, &mut tags_of, node_of).await?,
        proxmox_storages: tagged::<storage::Entity, _>(&tx, &mut tags_of, storage_of).await?,
        link_decisions: link_decision::Entity::find()
            .order_by_asc(link_decision::Column::ObjectType)
            .order_by_asc(link_decision::Column::ObjectId)
            .order_by_asc(link_decision::Column::TargetId)
            .all(&tx)
            .await?
            .into_iter()
            .map(decision_of)
            .collect(),
        tokens: token::Entity::find()
            .order_by_asc(token::Column::Id)
            .all(&tx)
            .await?
            .into_iter()
            .map(|row| token_of(row, with_secrets))
            .collect(),
        pepper: if with_secrets { Pepper::sealed(&tx).await? } else { None },
        next_id: Some(ids::largest_next(&tx).await?),
    };
    tx.commit().await?;
    Ok(file)
}

/// The text of a file: one space an indentation, a newline at the end.
pub fn to_text(file: &File) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut serializer =
        serde_json::Serializer::with_formatter(&mut text, serde_json::ser::PrettyFormatter::with_indent(b" "));
    file.serialize(&mut serializer).map_err(|error| Error::Internal(error.to_string()))?;
    text.push(b'\n');
    Ok(text)
}

async fn rows<E>(connection: &impl ConnectionTrait) -> Result<Vec<E::Model>>
where
    E: EntityTrait,
    E::Model: Resource + FromQueryResult,
{
    let mut rows = E::find().all(connection).await?;
    rows.sort_by_key(Resource::id);
    Ok(rows)
}

async fn tagged<E, R>(
    connection: &impl ConnectionTrait,
    tags_of: &mut (dyn FnMut(Kind, i32) -> Vec<i32> + Send),
    row: impl Fn(E::Model, Vec<i32>) -> R,
) -> Result<Vec<R>>
where
    E: EntityTrait,
    E::Model: Resource + FromQueryResult,
{
    let rows = rows::<E>(connection).await?.into_iter();
    Ok(rows
        .map(|model| {
            let tags = tags_of(E::Model::KIND, model.id());
            row(model, tags)
        })
        .collect())
}

fn tag_of(row: tag::Model) -> file::Tag {
    file::Tag { id: row.id, name: row.name, slug: row.slug, color: row.color }
}

fn netbox_cluster_of(row: netbox_cluster::Model) -> file::NetBoxCluster {
    file::NetBoxCluster {
        id: row.id,
        r#type: named_of(row.cluster_type()),
        group: named_of(row.group()),
        tenant: named_of(row.tenant()),
        scope: named_of(row.scope()),
        name: row.name,
        display: row.display,
        origin: row.origin.value().to_owned(),
        scope_type: row.scope_type,
        status: row.status,
        netbox_updated: row.netbox_updated,
        missing_since: row.missing_since,
        missed: row.missed,
    }
}

fn named_of(named: Option<Named>) -> Option<file::Named> {
    named.map(|named| file::Named { id: named.id, name: named.name, slug: named.slug })
}

fn decision_of(row: link_decision::Model) -> file::LinkDecision {
    file::LinkDecision {
        object_type: row.object_type,
        object: row.object_id,
        target: row.target_id,
        decision: row.decision.value().to_owned(),
        actor: row.actor,
        at: row.at,
    }
}

fn netbox_device_of(row: netbox_device::Model) -> file::NetBoxDevice {
    file::NetBoxDevice {
        id: row.id,
        site: named_of(row.site()),
        role: named_of(row.role()),
        tenant: named_of(row.tenant()),
        rack: named_of(row.rack()),
        name: row.name,
        display: row.display,
        origin: row.origin.value().to_owned(),
        cluster: row.cluster_id,
        serial: row.serial,
        primary_ip4: row.primary_ip4,
        primary_ip6: row.primary_ip6,
        status: row.status,
        netbox_updated: row.netbox_updated,
        missing_since: row.missing_since,
        missed: row.missed,
    }
}

fn endpoint_of(row: endpoint::Model, tags: Vec<i32>, with_secrets: bool) -> file::Endpoint {
    file::Endpoint {
        id: row.id,
        name: row.name,
        domain: row.domain,
        ip_address: row.ip_address,
        port: row.port,
        mode: row.mode.value().to_owned(),
        version: row.version,
        repoid: row.repoid,
        username: row.username,
        password: None,
        token_value: None,
        sealed_password: row.password.filter(|_| with_secrets),
        sealed_token_value: row.token_value.filter(|_| with_secrets),
        token_name: row.token_name,
        verify_ssl: row.verify_ssl,
        tls_fingerprint: row.tls_fingerprint,
        tls_ca: row.tls_ca,
        enabled: row.enabled,
        sync_interval: row.sync_interval,
        tags,
        custom_fields: row.custom_fields.0,
        created: row.created,
        last_updated: row.last_updated,
    }
}

fn cluster_of(row: cluster::Model, tags: Vec<i32>) -> file::Cluster {
    file::Cluster {
        id: row.id,
        endpoint: row.endpoint_id,
        netbox_cluster: row.netbox_cluster_id,
        name: row.name,
        cluster_id: row.cluster_id,
        mode: row.mode.value().to_owned(),
        nodes_count: row.nodes_count,
        quorate: row.quorate,
        version: row.version,
        local_cluster: row.local_cluster_id,
        missing_since: row.missing_since,
        stale: row.stale,
        tags,
        custom_fields: row.custom_fields.0,
        created: row.created,
        last_updated: row.last_updated,
    }
}

fn node_of(row: node::Model, tags: Vec<i32>) -> file::Node {
    file::Node {
        id: row.id,
        endpoint: row.endpoint_id,
        proxmox_cluster: row.proxmox_cluster_id,
        netbox_device: row.netbox_device_id,
        name: row.name,
        node_id: row.node_id,
        ip_address: row.ip_address,
        online: row.online,
        local: row.local,
        cpu_usage: row.cpu_usage,
        max_cpu: row.max_cpu,
        memory_usage: row.memory_usage,
        max_memory: row.max_memory,
        ssl_fingerprint: row.ssl_fingerprint,
        support_level: row.support_level,
        metrics_at: row.metrics_at,
        missing_since: row.missing_since,
        stale: row.stale,
        tags,
        custom_fields: row.custom_fields.0,
        created: row.created,
        last_updated: row.last_updated,
    }
}

fn storage_of(row: storage::Model, tags: Vec<i32>) -> file::Storage {
    file::Storage {
        id: row.id,
        cluster: row.cluster_id,
        source: row.source_id,
        name: row.name,
        storage_type: row.storage_type,
        content: row.content,
        path: row.path,
        nodes: row.nodes,
        shared: row.shared,
        enabled: row.enabled,
        server: row.server,
        port: row.port,
        username: row.username,
        export: row.export,
        share: row.share,
        pool: row.pool,
        monhost: row.monhost,
        namespace: row.namespace,
        datastore: row.datastore,
        subdir: row.subdir,
        mountpoint: row.mountpoint,
        is_mountpoint: row.is_mountpoint,
        preallocation: row.preallocation,
        format: row.format,
        prune_backups: row.prune_backups,
        max_protected_backups: row.max_protected_backups,
        raw_config: row.raw_config.0,
        missing_since: row.missing_since,
        stale: row.stale,
        tags,
        custom_fields: row.custom_fields.0,
        created: row.created,
        last_updated: row.last_updated,
    }
}

fn token_of(row: token::Model, with_secrets: bool) -> file::Token {
    let strings = |value: Value| match value {
        Value::Array(list) => list.into_iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    file::Token {
        name: row.name,
        value: None,
        key: row.key,
        digest: row.digest.filter(|_| with_secrets),
        write_enabled: row.write_enabled,
        enabled: row.enabled,
        expires: row.expires,
        allowed_ips: strings(row.allowed_ips.0),
        permissions: row.permissions.0.as_array().cloned().unwrap_or_default(),
        created: row.created,
        last_used: row.last_used,
    }
}
