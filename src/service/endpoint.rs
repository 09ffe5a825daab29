//! Proxmox endpoints and their secrets.
use super::{Tx, change, cluster, family, rules};
use crate::db::Db;
use crate::entity::{JsonText, Kind, Mode, cluster as cluster_row, endpoint, node};
use crate::error::{Error, Result};
use crate::secret::{Place, Sealer};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Set, SqlErr};
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;

/// A new endpoint, as an operator describes it.
#[derive(Clone, Debug)]
pub struct NewEndpoint {
    pub name: String,
    /// IP address or domain name.
    pub host: String,
    pub port: i32,
    pub username: String,
    pub token_name: String,
    pub verify_ssl: bool,
    pub tls_fingerprint: Option<String>,
}

/// One of the two secrets that open an endpoint.
#[derive(Clone, Debug)]
pub enum Secret {
    Password(SecretString),
    Token(SecretString),
}

impl Secret {
    fn column(&self) -> &'static str {
        match self {
            Self::Password(_) => "password",
            Self::Token(_) => "token_value",
        }
    }

    fn value(&self) -> &SecretString {
        match self {
            Self::Password(value) | Self::Token(value) => value,
        }
    }
}

/// Where a secret of an endpoint lies.
pub(super) fn place<'a>(row: &'a str, column: &'a str) -> Place<'a> {
    Place { table: Kind::Endpoint.table(), row, column }
}

/// Makes an endpoint. What Proxmox itself tells (mode, version) stays unknown until the first sync.
pub async fn create(tx: &mut Tx, sealer: &Sealer, new: NewEndpoint, secret: Option<Secret>) -> Result<endpoint::Model> {
    let (name, host) = (new.name.trim(), new.host.trim());
    rules::filled(Kind::Endpoint, "name", name)?;
    rules::filled(Kind::Endpoint, "host", host)?;
    rules::port(new.port)?;
    rules::filled(Kind::Endpoint, "username", &new.username)?;
    rules::text(Kind::Endpoint, "token_name", &new.token_name)?;
    let (ip_address, domain) = split_host(host)?;
    let row = endpoint::ActiveModel {
        name: Set(name.to_owned()),
        domain: Set(domain),
        ip_address: Set(ip_address),
        port: Set(new.port),
        mode: Set(Mode::Undefined),
        username: Set(new.username),
        token_name: Set(new.token_name),
        verify_ssl: Set(new.verify_ssl),
        tls_fingerprint: Set(new.tls_fingerprint.as_deref().map(rules::fingerprint).transpose()?),
        enabled: Set(true),
        custom_fields: Set(JsonText::object()),
        created: Set(tx.now()),
        last_updated: Set(tx.now()),
        ..Default::default()
    };
    let mut row = row.insert(tx.connection()).await.map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => {
            Error::Conflict(format!("there is an endpoint {name} ({host}) already"))
        }
        _ => error.into(),
    })?;
    if let Some(secret) = secret {
        // Sealing needs the row's id, which only the insert gives.
        row = seal(tx, sealer, row, &secret).await?;
    }
    tx.created(Kind::Endpoint, row.id, change::document(&row, &[]));
    Ok(row)
}

/// An address in its canonical form, or else a domain name.
fn split_host(host: &str) -> Result<(Option<String>, Option<String>)> {
    if host.parse::<IpAddr>().is_ok() {
        return Ok((Some(rules::written_address(host)?), None));
    }
    if host.contains(|c: char| c.is_whitespace() || c.is_control() || "/:@?#[]".contains(c)) {
        let message = "must be an IP address or a domain name, without scheme, port and path";
        return Err(Error::input(message).within("host"));
    }
    Ok((None, Some(host.to_owned())))
}

async fn seal(tx: &Tx, sealer: &Sealer, row: endpoint::Model, secret: &Secret) -> Result<endpoint::Model> {
    let value = secret.value().expose_secret();
    if value.is_empty() {
        return Err(Error::input("must not be empty").within(secret.column()));
    }
    let sealed = Set(Some(sealer.seal(value.as_bytes(), place(&row.id.to_string(), secret.column()))?));
    let mut change = endpoint::ActiveModel::from(row);
    match secret {
        Secret::Password(_) => change.password = sealed,
        Secret::Token(_) => change.token_value = sealed,
    }
    Ok(change.update(tx.connection()).await?)
}

/// Stores a secret in place of the one before.
pub async fn set_secret(tx: &mut Tx, sealer: &Sealer, name: &str, secret: Secret) -> Result<()> {
    let before = in_tx(tx, name).await?;
    let mut change = endpoint::ActiveModel::from(before.clone());
    change.last_updated = Set(tx.after(before.last_updated));
    let row = change.update(tx.connection()).await?;
    let row = seal(tx, sealer, row, &secret).await?;
    let tags = family::tags(tx, Kind::Endpoint, std::slice::from_ref(&row)).await?.remove(&row.id).unwrap_or_default();
    // The documents hold no secret, so the log is told that this one is another.
    tx.replaced_secret(
        Kind::Endpoint,
        row.id,
        change::document(&before, &tags),
        change::document(&row, &tags),
        secret.column(),
    );
    Ok(())
}

/// Removes an endpoint with its clusters and nodes.
pub async fn delete(tx: &mut Tx, name: &str) -> Result<()> {
    let row = in_tx(tx, name).await?;
    let nodes = family::referring::<node::Entity>(tx, node::Column::EndpointId, &[row.id]).await?;
    family::remove::<node::Entity>(tx, &nodes).await?;
    let clusters = family::referring::<cluster_row::Entity>(tx, cluster_row::Column::EndpointId, &[row.id]).await?;
    cluster::delete_all(tx, clusters).await?;
    family::remove::<endpoint::Entity>(tx, &[row]).await
}

async fn in_tx(tx: &Tx, name: &str) -> Result<endpoint::Model> {
    resolve(tx.connection(), name).await
}

/// The endpoint of this name or id.
pub async fn get(db: &Db, name: &str) -> Result<endpoint::Model> {
    resolve(&db.read, name).await
}

/// Names go first, and may repeat for different hosts; then the id tells them apart: `2` or `ProxmoxEndpoint:2`.
async fn resolve(connection: &impl ConnectionTrait, name: &str) -> Result<endpoint::Model> {
    let mut named = endpoint::Entity::find().filter(endpoint::Column::Name.eq(name)).all(connection).await?;
    match (named.pop(), named.is_empty()) {
        (Some(row), true) => return Ok(row),
        (Some(row), false) => {
            let (kind, id) = (Kind::Endpoint.type_name(), row.id);
            return Err(Error::Conflict(format!(
                "several endpoints are called {name}; give the id, such as {kind}:{id}"
            )));
        }
        (None, _) => {}
    }
    let number = name.strip_prefix(Kind::Endpoint.type_name()).and_then(|rest| rest.strip_prefix(':')).unwrap_or(name);
    let by_id = match number.parse::<i32>() {
        Ok(id) => endpoint::Entity::find_by_id(id).one(connection).await?,
        Err(_) => None,
    };
    by_id.ok_or_else(|| Error::NotFound(format!("there is no endpoint {name}")))
}

/// All endpoints, by name.
pub async fn list(db: &Db) -> Result<Vec<endpoint::Model>> {
    let query = endpoint::Entity::find().order_by_asc(endpoint::Column::Name).order_by_asc(endpoint::Column::Id);
    Ok(query.all(&db.read).await?)
}
