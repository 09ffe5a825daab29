//! A Proxmox VE installation as this server reaches it.
use sea_orm::entity::prelude::*;

use super::{JsonText, Kind, Mode, Resource};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "proxmox_endpoint")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub name: String,
    pub domain: Option<String>,
    pub ip_address: Option<String>,
    /// TCP port of the Proxmox API, 1–65535.
    pub port: i32,
    pub mode: Mode,
    pub version: Option<String>,
    pub repoid: Option<String>,
    pub username: String,
    /// Sealed; none when no password is kept.
    pub password: Option<String>,
    pub token_name: String,
    /// Sealed; none when no API token is kept.
    pub token_value: Option<String>,
    pub verify_ssl: bool,
    /// SHA-256 fingerprint of the pinned certificate, as colon-separated hex.
    pub tls_fingerprint: Option<String>,
    /// Certificates, as PEM, of the authorities that are trusted instead of the system's.
    pub tls_ca: Option<String>,
    /// A disabled endpoint is never contacted; its rows stay.
    pub enabled: bool,
    /// Seconds between two runs of sync, 0 = never; none = as the server's setting says.
    pub sync_interval: Option<i32>,
    pub custom_fields: JsonText,
    pub created: DateTimeUtc,
    pub last_updated: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

impl Resource for Model {
    const KIND: Kind = Kind::Endpoint;

    fn id(&self) -> i32 {
        self.id
    }

    fn display(&self) -> String {
        match self.host() {
            Some(host) => format!("{} ({host})", self.name),
            None => self.name.clone(),
        }
    }
}

impl Model {
    /// The address if there is one, else the domain; "" counts as none.
    pub fn host(&self) -> Option<&str> {
        [&self.ip_address, &self.domain].into_iter().flatten().map(String::as_str).find(|host| !host.is_empty())
    }
}
