//! Loading a file into an empty database: all or nothing, every error with the path of what is wrong.
use super::file::{self, File, Object};
use super::token::{NewToken, Pepper, Plain};
use super::{Tx, endpoint as endpoints, rules, token as tokens};
use crate::entity::{
    JsonText, Kind, Mode, Origin, cluster, endpoint, netbox_cluster, netbox_device, node, storage, tag, tag_assignment,
    token,
};
use crate::error::{Error, Result};
use crate::secret::Sealer;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbBackend, EntityTrait, Iterable, PaginatorTrait, Set, Statement};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::collections::HashSet;

/// Reads a file; what does not fit its format is told with its path.
pub fn parse(text: &[u8]) -> Result<File> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let file: Object<File> = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let message = without_texts(&error.into_inner().to_string());
        Error::input(if path == "." { message } else { format!("{path}: {message}") })
    })?;
    deserializer.end().map_err(|error| Error::input(error.to_string()))?;
    Ok(file.0)
}

/// The library repeats a text where something else belongs; it may be a secret in the wrong place.
fn without_texts(message: &str) -> String {
    let parts = message.strip_prefix("invalid type: string \"").and_then(|rest| rest.rsplit_once("\", expected "));
    parts.map_or_else(|| message.to_owned(), |(_, expected)| format!("invalid type: a text, expected {expected}"))
}

/// Told of the progress: rows stored so far, of all.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// Stores a file in an empty database.
pub async fn load(tx: &mut Tx, sealer: &Sealer, pepper: &Pepper, file: File, progress: Progress<'_>) -> Result<()> {
    must_be_empty(tx).await?;
    let known = Known::check(&file)?;
    let counts = counts(&file);
    let mut loader = Loader { done: 0, all: known.rows, progress };
    let next_id = file.next_id.unwrap_or(1);
    let with_file = file.pepper.as_deref().map(|sealed| Pepper::open(sealed, sealer)).transpose();
    let with_file = with_file.map_err(|error| Error::input(error.to_string()).within("pepper"))?;
    if let Some(sealed) = &file.pepper {
        Pepper::replace(tx, sealed).await?;
    }
    loader.store::<tag::Entity, _>(tx, "tags", file.tags, tag_row).await?;
    loader.store::<netbox_cluster::Entity, _>(tx, "netbox_clusters", file.netbox_clusters, netbox_cluster_row).await?;
    loader.store::<netbox_device::Entity, _>(tx, "netbox_devices", file.netbox_devices, netbox_device_row).await?;
    let endpoint_row = |row| endpoint_row(row, sealer);
    loader.store::<endpoint::Entity, _>(tx, "proxmox_endpoints", file.proxmox_endpoints, endpoint_row).await?;
    loader.store::<cluster::Entity, _>(tx, "proxmox_clusters", file.proxmox_clusters, cluster_row).await?;
    loader.store::<node::Entity, _>(tx, "proxmox_nodes", file.proxmox_nodes, node_row).await?;
    loader.store::<storage::Entity, _>(tx, "proxmox_storages", file.proxmox_storages, storage_row).await?;
    loader.insert::<tag_assignment::Entity>(tx, known.assignments).await?;
    store_tokens(tx, with_file.as_ref().unwrap_or(pepper), with_file.is_some(), file.tokens).await?;
    start_ids_at(tx, next_id).await?;
    tx.loaded(counts);
    Ok(())
}

async fn must_be_empty(tx: &Tx) -> Result<()> {
    let connection = tx.connection();
    let rows = [
        (tag::Entity::find().count(connection).await?, "tags"),
        (netbox_cluster::Entity::find().count(connection).await?, "NetBox clusters"),
        (netbox_device::Entity::find().count(connection).await?, "NetBox devices"),
        (endpoint::Entity::find().count(connection).await?, "endpoints"),
        (storage::Entity::find().count(connection).await?, "storages"),
        (token::Entity::find().count(connection).await?, "tokens"),
    ];
    match rows.iter().find(|(count, _)| *count > 0) {
        None => Ok(()),
        Some((count, what)) => {
            Err(Error::Conflict(format!("the database is not empty: it holds {count} {what}; load needs an empty one")))
        }
    }
}

fn counts(file: &File) -> Value {
    json!({
        "tags": file.tags.len(),
        "netbox_clusters": file.netbox_clusters.len(),
        "netbox_devices": file.netbox_devices.len(),
        "proxmox_endpoints": file.proxmox_endpoints.len(),
        "proxmox_clusters": file.proxmox_clusters.len(),
        "proxmox_nodes": file.proxmox_nodes.len(),
        "proxmox_storages": file.proxmox_storages.len(),
        "tokens": file.tokens.len(),
    })
}

/// What holds across rows: ids and natural keys once each, references that lead somewhere.
struct Known {
    rows: u64,
    assignments: Vec<tag_assignment::ActiveModel>,
}

impl Known {
    fn check(file: &File) -> Result<Self> {
        let tags = ids("tags", file.tags.iter().map(|row| row.id))?;
        let netbox_clusters = ids("netbox_clusters", file.netbox_clusters.iter().map(|row| row.id))?;
        let devices = ids("netbox_devices", file.netbox_devices.iter().map(|row| row.id))?;
        let endpoints = ids("proxmox_endpoints", file.proxmox_endpoints.iter().map(|row| row.id))?;
        let clusters = ids("proxmox_clusters", file.proxmox_clusters.iter().map(|row| row.id))?;
        ids("proxmox_nodes", file.proxmox_nodes.iter().map(|row| row.id))?;
        ids("proxmox_storages", file.proxmox_storages.iter().map(|row| row.id))?;
        unique("tags", "name", file.tags.iter().map(|row| &row.name))?;
        unique("tags", "slug", file.tags.iter().map(|row| &row.slug))?;
        unique("tokens", "name", file.tokens.iter().map(|row| &row.name))?;
        unique("proxmox_endpoints", "name", file.proxmox_endpoints.iter().map(endpoint_key))?;
        unique("proxmox_clusters", "name", file.proxmox_clusters.iter().map(|row| (row.endpoint, &row.name)))?;
        unique("proxmox_nodes", "name", file.proxmox_nodes.iter().map(|row| (row.endpoint, &row.name)))?;
        unique("proxmox_storages", "name", file.proxmox_storages.iter().map(|row| (row.cluster, &row.name)))?;
        for (i, row) in file.proxmox_clusters.iter().enumerate() {
            refers(&endpoints, Some(row.endpoint), "proxmox_clusters", i, "endpoint")?;
            refers(&netbox_clusters, row.netbox_cluster, "proxmox_clusters", i, "netbox_cluster")?;
        }
        for (i, row) in file.proxmox_nodes.iter().enumerate() {
            refers(&endpoints, Some(row.endpoint), "proxmox_nodes", i, "endpoint")?;
            refers(&clusters, row.proxmox_cluster, "proxmox_nodes", i, "proxmox_cluster")?;
            refers(&devices, row.netbox_device, "proxmox_nodes", i, "netbox_device")?;
        }
        for (i, row) in file.proxmox_storages.iter().enumerate() {
            refers(&netbox_clusters, Some(row.cluster), "proxmox_storages", i, "cluster")?;
            refers(&clusters, row.source, "proxmox_storages", i, "source")?;
        }
        let lists = counts(file);
        let rows = lists.as_object().into_iter().flat_map(|lists| lists.values()).filter_map(Value::as_u64).sum();
        let mut known = Self { rows, assignments: Vec::new() };
        let tagged = file.proxmox_endpoints.iter().map(|row| (row.id, &row.tags));
        known.assign(&tags, Kind::Endpoint, "proxmox_endpoints", tagged)?;
        let tagged = file.proxmox_clusters.iter().map(|row| (row.id, &row.tags));
        known.assign(&tags, Kind::Cluster, "proxmox_clusters", tagged)?;
        let tagged = file.proxmox_nodes.iter().map(|row| (row.id, &row.tags));
        known.assign(&tags, Kind::Node, "proxmox_nodes", tagged)?;
        let tagged = file.proxmox_storages.iter().map(|row| (row.id, &row.tags));
        known.assign(&tags, Kind::Storage, "proxmox_storages", tagged)?;
        Ok(known)
    }

    fn assign<'a>(
        &mut self,
        known: &HashSet<i32>,
        kind: Kind,
        list: &str,
        rows: impl Iterator<Item = (i32, &'a Vec<i32>)>,
    ) -> Result<()> {
        for (i, (object_id, tags)) in rows.enumerate() {
            let mut seen = HashSet::new();
            for (j, tag_id) in tags.iter().enumerate() {
                let at = |error: Error| error.within(j.to_string()).within("tags").within(i.to_string()).within(list);
                if !known.contains(tag_id) {
                    return Err(at(Error::input(format!("there is no tag {tag_id} in this file"))));
                }
                if !seen.insert(tag_id) {
                    return Err(at(Error::input(format!("tag {tag_id} is there twice"))));
                }
                self.assignments.push(tag_assignment::ActiveModel {
                    object_type: Set(kind.table().to_owned()),
                    object_id: Set(object_id),
                    tag_id: Set(*tag_id),
                });
            }
        }
        Ok(())
    }
}

/// The host counts as the database's unique index has it.
fn endpoint_key(row: &file::Endpoint) -> (&str, String) {
    let address = row.ip_address.as_deref().filter(|address| !address.is_empty());
    let host = match address {
        Some(address) => rules::loaded_address(address).unwrap_or_else(|_| address.to_owned()),
        None => row.domain.clone().unwrap_or_default(),
    };
    (&row.name, host)
}

fn ids(list: &str, rows: impl Iterator<Item = i32>) -> Result<HashSet<i32>> {
    let mut seen = HashSet::new();
    for (i, id) in rows.enumerate() {
        let message = match id {
            ..=0 => "must be positive".to_owned(),
            // Another one must be able to follow.
            i32::MAX => "is too large".to_owned(),
            id if !seen.insert(id) => format!("{id} is there twice"),
            _ => continue,
        };
        return Err(Error::input(message).within("id").within(i.to_string()).within(list));
    }
    Ok(seen)
}

fn unique<T: std::hash::Hash + Eq>(list: &str, field: &str, keys: impl Iterator<Item = T>) -> Result<()> {
    let mut seen = HashSet::new();
    for (i, key) in keys.enumerate() {
        if !seen.insert(key) {
            return Err(Error::input("is there twice").within(field).within(i.to_string()).within(list));
        }
    }
    Ok(())
}

fn refers(known: &HashSet<i32>, id: Option<i32>, list: &str, i: usize, field: &str) -> Result<()> {
    match id {
        Some(id) if !known.contains(&id) => {
            let error = Error::input(format!("refers to {id}, which this file does not hold"));
            Err(error.within(field).within(i.to_string()).within(list))
        }
        _ => Ok(()),
    }
}

struct Loader<'a> {
    done: u64,
    all: u64,
    progress: Progress<'a>,
}

impl Loader<'_> {
    /// Checks and stores the rows of one list.
    async fn store<E, R>(
        &mut self,
        tx: &Tx,
        list: &'static str,
        rows: Vec<R>,
        row: impl Fn(R) -> Result<E::ActiveModel>,
    ) -> Result<()>
    where
        E: EntityTrait,
        E::ActiveModel: Send,
    {
        let rows = rows.into_iter().enumerate();
        let rows = rows.map(|(i, one)| row(one).map_err(|error| error.within(i.to_string()).within(list)));
        let rows = rows.collect::<Result<Vec<_>>>()?;
        self.insert::<E>(tx, rows).await
    }

    async fn insert<E>(&mut self, tx: &Tx, mut rows: Vec<E::ActiveModel>) -> Result<()>
    where
        E: EntityTrait,
        E::ActiveModel: Send,
    {
        // SQLite binds at most 32 766 values a statement.
        let chunk = 30_000 / E::Column::iter().count().max(1);
        while !rows.is_empty() {
            let rest = rows.split_off(rows.len().min(chunk));
            let count = rows.len() as u64;
            E::insert_many(rows).exec_without_returning(tx.connection()).await?;
            self.done = (self.done + count).min(self.all);
            (self.progress)(self.done, self.all);
            rows = rest;
        }
        Ok(())
    }
}

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
    value.map_or(Ok(()), |value| rules::text(kind, field, value))
}

fn tag_row(row: file::Tag) -> Result<tag::ActiveModel> {
    rules::filled(Kind::Tag, "name", &row.name)?;
    rules::slug(&row.slug)?;
    rules::color(&row.color)?;
    Ok(tag::ActiveModel { id: Set(row.id), name: Set(row.name), slug: Set(row.slug), color: Set(row.color) })
}

fn netbox_cluster_row(row: file::NetBoxCluster) -> Result<netbox_cluster::ActiveModel> {
    rules::filled(Kind::NetBoxCluster, "name", &row.name)?;
    rules::filled(Kind::NetBoxCluster, "display", &row.display)?;
    let origin = Set(origin(&row.origin)?);
    Ok(netbox_cluster::ActiveModel { id: Set(row.id), name: Set(row.name), display: Set(row.display), origin })
}

fn netbox_device_row(row: file::NetBoxDevice) -> Result<netbox_device::ActiveModel> {
    optional(Kind::NetBoxDevice, "name", row.name.as_deref())?;
    rules::filled(Kind::NetBoxDevice, "display", &row.display)?;
    let origin = Set(origin(&row.origin)?);
    Ok(netbox_device::ActiveModel { id: Set(row.id), name: Set(row.name), display: Set(row.display), origin })
}

fn endpoint_row(row: file::Endpoint, sealer: &Sealer) -> Result<endpoint::ActiveModel> {
    let kind = Kind::Endpoint;
    rules::filled(kind, "name", &row.name)?;
    rules::port(row.port)?;
    for (field, value) in [("username", &row.username), ("token_name", &row.token_name)] {
        rules::text(kind, field, value)?;
    }
    for (field, value) in [("domain", &row.domain), ("version", &row.version), ("repoid", &row.repoid)] {
        optional(kind, field, value.as_deref())?;
    }
    let password = sealed(row.id, "password", row.password, row.sealed_password, sealer)?;
    let token_value = sealed(row.id, "token_value", row.token_value, row.sealed_token_value, sealer)?;
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
        password: Set(password),
        token_name: Set(row.token_name),
        token_value: Set(token_value),
        verify_ssl: Set(row.verify_ssl),
        tls_fingerprint: Set(row.tls_fingerprint.as_deref().map(rules::fingerprint).transpose()?),
        enabled: Set(row.enabled),
        custom_fields: Set(object("custom_fields", row.custom_fields)?),
        created: Set(row.created),
        last_updated: Set(row.last_updated),
    })
}

/// A secret in clear is sealed; a sealed one must open under this key at this place. An empty one is none.
fn sealed(
    id: i32,
    column: &'static str,
    plain: Option<SecretString>,
    sealed: Option<String>,
    sealer: &Sealer,
) -> Result<Option<String>> {
    let row = id.to_string();
    let place = endpoints::place(&row, column);
    match (plain.filter(|plain| !plain.expose_secret().is_empty()), sealed) {
        (Some(_), Some(_)) => Err(Error::input("is given in clear and sealed").within(column)),
        (Some(plain), None) => sealer.seal(plain.expose_secret().as_bytes(), place).map(Some),
        (None, Some(sealed)) => match sealer.open(&sealed, place) {
            Ok(_) => Ok(Some(sealed)),
            Err(error) => Err(Error::input(error.to_string()).within(format!("sealed_{column}"))),
        },
        (None, None) => Ok(None),
    }
}

fn cluster_row(row: file::Cluster) -> Result<cluster::ActiveModel> {
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
        custom_fields: Set(object("custom_fields", row.custom_fields)?),
        created: Set(row.created),
        last_updated: Set(row.last_updated),
    })
}

fn node_row(row: file::Node) -> Result<node::ActiveModel> {
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
        custom_fields: Set(object("custom_fields", row.custom_fields)?),
        created: Set(row.created),
        last_updated: Set(row.last_updated),
    })
}

fn storage_row(row: file::Storage) -> Result<storage::ActiveModel> {
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
        custom_fields: Set(object("custom_fields", row.custom_fields)?),
        created: Set(row.created),
        last_updated: Set(row.last_updated),
    })
}

async fn store_tokens(tx: &Tx, pepper: &Pepper, with_file: bool, rows: Vec<file::Token>) -> Result<()> {
    for (i, row) in rows.into_iter().enumerate() {
        let at = |error: Error| error.within(i.to_string()).within("tokens");
        let row = token_row(tx, pepper, with_file, row).await.map_err(at)?;
        row.insert(tx.connection()).await.map_err(|error| match error.sql_err() {
            Some(_) => at(Error::input("has the same value as another one")),
            None => error.into(),
        })?;
    }
    Ok(())
}

async fn token_row(tx: &Tx, pepper: &Pepper, with_file: bool, row: file::Token) -> Result<token::ActiveModel> {
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

/// The tables that give ids of their own to what clients see.
pub(super) const NUMBERED: [&str; 5] =
    ["proxmox_endpoint", "proxmox_cluster", "proxmox_node", "proxmox_storage", "tag"];

/// New rows get ids from here on, or behind the largest there is.
async fn start_ids_at(tx: &Tx, next_id: i32) -> Result<()> {
    let backend = tx.connection().get_database_backend();
    for table in NUMBERED {
        let first = format!("(SELECT GREATEST({next_id}, COALESCE(MAX(id), 0) + 1) FROM {table})");
        let statements = match backend {
            DbBackend::Postgres => vec![format!("SELECT setval('{table}_id_seq', {first}, false)")],
            _ => vec![
                format!("DELETE FROM sqlite_sequence WHERE name = '{table}'"),
                format!("INSERT INTO sqlite_sequence (name, seq) VALUES ('{table}', {first} - 1)")
                    .replace("GREATEST", "MAX"),
            ],
        };
        for sql in statements {
            tx.connection().query_all_raw(Statement::from_string(backend, sql)).await?;
        }
    }
    Ok(())
}
