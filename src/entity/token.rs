//! An API token. Only a keyed digest of its secret is stored.
use sea_orm::entity::prelude::*;

use super::JsonText;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "api_token")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub name: String,
    /// The public half of a v2 token; none for v1.
    pub key: Option<String>,
    /// HMAC-SHA-256 of the secret in hex; none for a token that was loaded without its value and so is unusable.
    pub digest: Option<String>,
    pub write_enabled: bool,
    pub enabled: bool,
    pub expires: Option<DateTimeUtc>,
    /// List of networks in CIDR notation; empty = any address.
    pub allowed_ips: JsonText,
    /// List of `{models, actions, constraints}`.
    pub permissions: JsonText,
    pub created: DateTimeUtc,
    pub last_used: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
