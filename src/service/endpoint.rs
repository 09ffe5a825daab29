//! Proxmox endpoints and their secrets.
use super::patch::Given;
use super::{Clock, Fields, Tx, Writable, change, cluster, family, rules, secret, sync_run, write};
use crate::db::Db;
use crate::entity::{JsonText, Kind, Mode, cluster as cluster_row, endpoint, node};
use crate::error::{Code, Error, Problem, Result};
use crate::principal::Act;
use crate::secret::{Place, Sealer};
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::net::IpAddr;

/// What a client gives of an endpoint. Secrets are written, never read.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    pub name: Given<String>,
    pub domain: Given<String>,
    pub ip_address: Given<String>,
    pub port: Given<i64>,
    pub mode: Given<Mode>,
    pub version: Given<String>,
    pub repoid: Given<String>,
    pub username: Given<String>,
    pub password: Given<SecretString>,
    pub token_name: Given<String>,
    pub token_value: Given<SecretString>,
    pub verify_ssl: Given<bool>,
    pub tls_fingerprint: Given<String>,
    pub tls_ca: Given<String>,
    pub enabled: Given<bool>,
    pub sync_interval: Given<i64>,
    pub tags: Given<Vec<String>>,
    pub custom_fields: Given<Value>,
}

/// Where a secret of an endpoint lies.
pub(super) fn place<'a>(row: &'a str, column: &'a str) -> Place<'a> {
    Place { table: Kind::Endpoint.table(), row, column }
}

impl Writable for endpoint::Model {
    type Patch = Patch;

    /// What Proxmox itself tells (mode, version) stays unknown until the first sync.
    fn blank(now: DateTime<Utc>) -> Self {
        Self {
            id: 0,
            name: String::new(),
            domain: None,
            ip_address: None,
            port: 8006,
            mode: Mode::Undefined,
            version: None,
            repoid: None,
            username: "root@pam".into(),
            password: None,
            token_name: String::new(),
            token_value: None,
            verify_ssl: true,
            tls_fingerprint: None,
            tls_ca: None,
            enabled: true,
            sync_interval: None,
            custom_fields: JsonText::object(),
            created: now,
            last_updated: now,
        }
    }

    fn apply(&mut self, patch: &Patch, fields: &mut Fields) {
        fields.require("name", &patch.name);
        fields.filled("name", &patch.name, &mut self.name);
        fields.optional_text("domain", &patch.domain, &mut self.domain);
        if let Some(Err(problem)) = self.domain.as_deref().map(|domain| rules::host_name("domain", domain)) {
            fields.refuse(problem);
        }
        fields.address("ip_address", &patch.ip_address, &mut self.ip_address);
        if self.host().is_none() && (fields.creating() || patch.domain.is_some() || patch.ip_address.is_some()) {
            let message = "An endpoint needs a domain or an ip_address.";
            fields.refuse(Problem::new(Code::Required, "domain", message));
        }
        fields.int("port", &patch.port, 1..=65_535, &mut self.port);
        fields.plain("mode", &patch.mode, &mut self.mode);
        fields.optional_text("version", &patch.version, &mut self.version);
        fields.optional_text("repoid", &patch.repoid, &mut self.repoid);
        fields.filled("username", &patch.username, &mut self.username);
        fields.text("token_name", &patch.token_name, &mut self.token_name);
        fields.plain("verify_ssl", &patch.verify_ssl, &mut self.verify_ssl);
        fields.fingerprint(&patch.tls_fingerprint, &mut self.tls_fingerprint);
        fields.certificates(&patch.tls_ca, &mut self.tls_ca);
        fields.plain("enabled", &patch.enabled, &mut self.enabled);
        fields.interval(&patch.sync_interval, &mut self.sync_interval);
        fields.custom_fields(&patch.custom_fields, &mut self.custom_fields);
        for (field, secret) in [("password", &patch.password), ("token_value", &patch.token_value)] {
            if secret.as_ref().and_then(Option::as_ref).is_some_and(|secret| secret.expose_secret().is_empty()) {
                fields.refuse(rules::blank(field));
            }
        }
    }

    fn conflict(_: &str) -> Problem {
        Problem::new(Code::KeyTaken, "name", "An endpoint with this name and host already exists.")
    }

    fn tags(patch: &Patch) -> &Given<Vec<String>> {
        &patch.tags
    }

    /// A secret must never travel to another host by an edit: it is dropped when what decides where it goes changes,
    /// unless it is sent again. A secret sent counts as changed even if it is the same, or one could try it out.
    async fn seal(&mut self, patch: &Patch, before: Option<&Self>, tx: &Tx) -> Result<Vec<&'static str>> {
        let moved = before.is_some_and(|before| self.way() != before.way());
        let row = self.id.to_string();
        let mut replaced = Vec::new();
        for (column, given, kept) in [
            ("password", &patch.password, &mut self.password),
            ("token_value", &patch.token_value, &mut self.token_value),
        ] {
            match given {
                Some(Some(given)) => {
                    let key = secret::key(tx).await?;
                    *kept = Some(key.seal(given.expose_secret().as_bytes(), place(&row, column))?);
                    replaced.push(column);
                }
                Some(None) => *kept = None,
                None if moved => *kept = None,
                None => {}
            }
        }
        Ok(replaced)
    }

    /// Its clusters and nodes go with it, and how its sync stood; the runs stay to be read.
    async fn remove(self, tx: &mut Tx) -> Result<()> {
        let nodes = family::referring::<node::Entity>(tx, node::Column::EndpointId, &[self.id]).await?;
        family::remove::<node::Entity>(tx, &nodes).await?;
        let clusters =
            family::referring::<cluster_row::Entity>(tx, cluster_row::Column::EndpointId, &[self.id]).await?;
        cluster::remove_all(tx, clusters).await?;
        sync_run::forget(tx, self.id).await?;
        family::remove::<endpoint::Entity>(tx, &[self]).await
    }
}

impl endpoint::Model {
    /// Everything that decides where its secrets are sent, and to whom.
    fn way(&self) -> impl PartialEq + '_ {
        (&self.domain, &self.ip_address, self.port, self.verify_ssl, &self.tls_fingerprint, &self.tls_ca)
    }
}

/// The row that would be made of this, without being stored: by the same rules, and without secrets.
pub fn draft(patch: &Patch) -> Result<endpoint::Model> {
    let mut row = endpoint::Model::blank(Clock::now());
    let mut fields = Fields::new(Kind::Endpoint, true, Vec::new());
    row.apply(patch, &mut fields);
    fields.finish()?;
    Ok(row)
}

/// Pins these certificates and keeps the secrets. An edit of the pin drops them, since whoever may edit endpoints could
/// have them sent to a server of his own; but this is the operator at the command line, who has looked at the
/// certificate and says that it is the same server's, and nothing else of the way to it moves.
pub async fn trust(tx: &mut Tx, id: i32, fingerprints: &str) -> Result<endpoint::Model> {
    let before = write::for_writing::<endpoint::Model>(tx, id, Act::Change, None).await?;
    let tls_fingerprint = Some(rules::fingerprint(fingerprints)?);
    if tls_fingerprint == before.tls_fingerprint {
        return Ok(before);
    }
    let last_updated = tx.after(before.last_updated);
    let after = endpoint::Model { tls_fingerprint, last_updated, ..before.clone() };
    let after = write::store(tx, &before, after).await?;
    let tags = family::tags(tx, Kind::Endpoint, std::slice::from_ref(&before)).await?.remove(&id).unwrap_or_default();
    tx.updated(Kind::Endpoint, id, change::document(&before, &tags), change::document(&after, &tags));
    Ok(after)
}

/// The secrets of an endpoint, in clear.
#[derive(Debug)]
pub struct Secrets {
    pub password: Option<SecretString>,
    pub token_value: Option<SecretString>,
}

/// Opens the secrets of an endpoint.
pub fn secrets(row: &endpoint::Model, sealer: &Sealer) -> Result<Secrets> {
    let id = row.id.to_string();
    let open = |column, sealed: &Option<String>| -> Result<Option<SecretString>> {
        let Some(sealed) = sealed else { return Ok(None) };
        let opened = sealer.open(sealed, place(&id, column))?;
        let text = String::from_utf8(opened.expose_secret().clone());
        text.map(|text| Some(text.into())).map_err(|_| Error::Key(format!("the {column} of {} is no text", row.name)))
    };
    Ok(Secrets { password: open("password", &row.password)?, token_value: open("token_value", &row.token_value)? })
}

/// A host as an operator gives it: an address, or else a domain name.
pub fn split_host(host: &str) -> Result<(Option<String>, Option<String>)> {
    let host = host.trim();
    if host.is_empty() {
        return Err(rules::blank("host").into());
    }
    if host.parse::<IpAddr>().is_ok() {
        return Ok((Some(host.to_owned()), None));
    }
    rules::host_name("host", host)?;
    Ok((None, Some(host.to_owned())))
}

/// Why an endpoint that is disabled is not synced, for people.
pub fn disabled(row: &endpoint::Model) -> String {
    format!("The endpoint {} is disabled: enable it, and it can be synced.", row.name)
}

/// The endpoint of this name or id.
pub async fn get(db: &Db, name: &str) -> Result<endpoint::Model> {
    resolve(&db.read, name).await
}

/// The endpoint of this id.
pub async fn by_id(db: &Db, id: i32) -> Result<endpoint::Model> {
    let row = endpoint::Entity::find_by_id(id).one(&db.read).await?;
    row.ok_or_else(|| Error::NotFound(format!("there is no endpoint {id}")))
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
