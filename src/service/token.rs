//! API tokens in NetBox's two formats. Only a keyed digest of a secret is stored; its pepper lies sealed in the
//! database, so that neither a copy of the database nor the key alone is enough to try secrets out.
use super::{Clock, Tx, rules};
use crate::db::Db;
use crate::entity::{JsonText, Kind, setting, token};
use crate::error::{Error, Result};
use crate::principal::Permission;
use crate::secret::{Place, Sealer};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use ipnet::IpNet;
use rand::RngExt;
use rand::distr::Alphanumeric;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Set, SqlErr,
};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;
use subtle::ConstantTimeEq;

pub(super) const PEPPER: &str = "pepper";
const TABLE: &str = "api_token";
const V2_PREFIX: &str = "nbt_";
const KEY_LENGTH: usize = 12;
const SECRET_LENGTH: usize = 40;

/// The key of the digests.
#[derive(Debug)]
pub struct Pepper(SecretBox<Vec<u8>>);

/// The value of a token: what a client sends, without keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain<'a> {
    V1 { secret: &'a str },
    V2 { key: &'a str, secret: &'a str },
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    pub name: String,
    pub write_enabled: bool,
    pub enabled: bool,
    pub expires: Option<DateTime<Utc>>,
    /// Networks in CIDR notation, or addresses; empty = any.
    pub allowed_ips: Vec<String>,
    /// `{models, actions, constraints}` each.
    pub permissions: Vec<Value>,
}

/// Where the sealed pepper lies.
pub(super) fn pepper_place() -> Place<'static> {
    Place { table: "setting", row: PEPPER, column: "value" }
}

impl Pepper {
    /// The sealed pepper of the database; none on its very first start.
    pub async fn sealed(connection: &impl ConnectionTrait) -> Result<Option<String>> {
        Ok(setting::Entity::find_by_id(PEPPER).one(connection).await?.map(|row| row.value))
    }

    /// Makes the pepper on the first start; of several that start at once the first one's stays. No change is logged.
    pub async fn make(tx: &Tx, sealer: &Sealer) -> Result<()> {
        let new = setting::ActiveModel {
            name: Set(PEPPER.to_owned()),
            value: Set(sealer.seal(&rand::random::<[u8; 32]>(), pepper_place())?),
        };
        let keep_first = OnConflict::column(setting::Column::Name).do_nothing().to_owned();
        setting::Entity::insert(new).on_conflict(keep_first).exec_without_returning(tx.connection()).await?;
        Ok(())
    }

    /// Opens a sealed pepper.
    pub fn open(sealed: &str, sealer: &Sealer) -> Result<Self> {
        Ok(Self(sealer.open(sealed, pepper_place())?))
    }

    /// Puts another pepper in place, for digests that come with it.
    pub(super) async fn replace(tx: &Tx, sealed: &str) -> Result<()> {
        setting::Entity::update_many()
            .col_expr(setting::Column::Value, Expr::value(sealed))
            .filter(setting::Column::Name.eq(PEPPER))
            .exec(tx.connection())
            .await?;
        Ok(())
    }

    fn digest(&self, secret: &str) -> Result<String> {
        let mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret());
        let mut mac = mac.map_err(|_| Error::Internal("the pepper is no key".into()))?;
        mac.update(secret.as_bytes());
        Ok(mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl<'a> Plain<'a> {
    /// Reads a value; the prefix decides which version it is. None for anything that cannot be a token.
    pub fn parse(value: &'a str) -> Option<Self> {
        let plain = |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_alphanumeric());
        match value.strip_prefix(V2_PREFIX) {
            Some(rest) => {
                let (key, secret) = rest.split_once('.')?;
                (plain(key, KEY_LENGTH) && plain(secret, SECRET_LENGTH)).then_some(Self::V2 { key, secret })
            }
            None => plain(value, SECRET_LENGTH).then_some(Self::V1 { secret: value }),
        }
    }

    /// The public half of a v2 token.
    pub fn key(self) -> Option<&'a str> {
        match self {
            Self::V1 { .. } => None,
            Self::V2 { key, .. } => Some(key),
        }
    }

    fn secret(self) -> &'a str {
        match self {
            Self::V1 { secret } | Self::V2 { secret, .. } => secret,
        }
    }

    /// The digest under which it is stored.
    pub fn digest(self, pepper: &Pepper) -> Result<String> {
        pepper.digest(self.secret())
    }
}

/// A fresh value.
pub fn random_value(v1: bool) -> SecretString {
    let text = |length| rand::rng().sample_iter(Alphanumeric).take(length).map(char::from).collect::<String>();
    let secret = text(SECRET_LENGTH);
    SecretString::from(if v1 { secret } else { format!("{V2_PREFIX}{}.{secret}", text(KEY_LENGTH)) })
}

/// The token with this value, whose digest is compared in constant time; whether it may be used is for `auth` to say.
pub async fn find(db: &Db, pepper: &Pepper, value: Plain<'_>) -> Result<Option<token::Model>> {
    let digest = value.digest(pepper)?;
    let query = match value {
        Plain::V1 { .. } => {
            token::Entity::find().filter(token::Column::Digest.eq(digest.as_str())).filter(token::Column::Key.is_null())
        }
        Plain::V2 { key, .. } => token::Entity::find().filter(token::Column::Key.eq(key)),
    };
    let row = query.one(&db.read).await?;
    Ok(row.filter(|row| row.digest.as_ref().is_some_and(|stored| stored.as_bytes().ct_eq(digest.as_bytes()).into())))
}

/// Stores a token with this value.
pub async fn create(tx: &mut Tx, pepper: &Pepper, new: NewToken, value: &SecretString) -> Result<token::Model> {
    let plain = Plain::parse(value.expose_secret()).ok_or_else(|| {
        Error::input("must be 40 letters and digits, or nbt_, 12 of them, a dot and 40 of them").within("value")
    })?;
    check(tx, &new).await?;
    let row = token::ActiveModel {
        name: Set(new.name.clone()),
        key: Set(plain.key().map(str::to_owned)),
        digest: Set(Some(plain.digest(pepper)?)),
        write_enabled: Set(new.write_enabled),
        enabled: Set(new.enabled),
        expires: Set(new.expires.map(Clock::truncated)),
        allowed_ips: Set(JsonText(json!(new.allowed_ips))),
        permissions: Set(JsonText(Value::Array(new.permissions))),
        created: Set(tx.now()),
        ..Default::default()
    };
    let row = row.insert(tx.connection()).await.map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => {
            Error::Conflict(format!("there is a token called {} or with this value already", new.name))
        }
        _ => error.into(),
    })?;
    tx.created_in(TABLE, row.id, document(&row));
    Ok(row)
}

/// What a token must be, whichever way it comes.
pub(super) async fn check(tx: &Tx, new: &NewToken) -> Result<()> {
    rules::filled(Kind::Tag, "name", &new.name)?;
    for (i, network) in new.allowed_ips.iter().enumerate() {
        let told = || Error::input("is not an address or a network in CIDR notation");
        parse_network(network).ok_or_else(|| told().within(i.to_string()).within("allowed_ips"))?;
    }
    let within = |error: Error| error.within("permissions");
    let permissions = Permission::parse_all(&Value::Array(new.permissions.clone())).map_err(within)?;
    for (i, permission) in permissions.iter().enumerate() {
        for filter in permission.filters() {
            let (kind, filter) = filter?;
            let asked = ask_once(tx, kind, &filter).await;
            asked.map_err(|error| within(error.within("constraints").within(i.to_string())))?;
        }
    }
    Ok(())
}

/// Lets the database try a constraint, so that a regular expression it cannot read is refused now and not later.
async fn ask_once(tx: &Tx, kind: Kind, filter: &crate::filter::Filter) -> Result<()> {
    use crate::filter::{View, compile};
    use sea_orm::sea_query::{Alias, Query};
    let backend = tx.connection().get_database_backend();
    let condition = compile(filter, kind, backend, &View::everything());
    let query = Query::select().expr(Expr::val(1)).from(Alias::new(kind.table())).and_where(condition).limit(1).take();
    let answer = tx.connection().query_one(&query).await;
    answer.map(drop).map_err(|_| Error::input("the database does not understand this constraint"))
}

/// An address counts as the network that holds only itself.
pub fn parse_network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from))
}

/// What the change log says of a token.
fn document(row: &token::Model) -> Value {
    json!({
        "name": row.name,
        "key": row.key,
        "write_enabled": row.write_enabled,
        "enabled": row.enabled,
        "expires": row.expires.map(super::change::timestamp),
        "allowed_ips": row.allowed_ips.0,
        "permissions": row.permissions.0,
    })
}

/// Removes a token for good.
pub async fn revoke(tx: &mut Tx, name: &str) -> Result<()> {
    let row = token::Entity::find().filter(token::Column::Name.eq(name)).one(tx.connection()).await?;
    let row = row.ok_or_else(|| Error::NotFound(format!("there is no token called {name}")))?;
    token::Entity::delete_by_id(row.id).exec(tx.connection()).await?;
    tx.deleted_in(TABLE, row.id, document(&row));
    Ok(())
}

/// All tokens, by name.
pub async fn list(db: &Db) -> Result<Vec<token::Model>> {
    Ok(token::Entity::find().order_by_asc(token::Column::Name).all(&db.read).await?)
}

/// Notes that a token was used, at most once a minute; this is no change and advances nothing.
pub async fn touch(tx: &Tx, id: i32) -> Result<()> {
    let now = Clock::now();
    let stale = Condition::any()
        .add(token::Column::LastUsed.is_null())
        .add(token::Column::LastUsed.lt(now - TimeDelta::minutes(1)));
    token::Entity::update_many()
        .col_expr(token::Column::LastUsed, Expr::value(now))
        .filter(token::Column::Id.eq(id))
        .filter(stale)
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Whether [`touch`] would write.
pub fn is_stale(row: &token::Model) -> bool {
    row.last_used.is_none_or(|used| used < Clock::now() - TimeDelta::minutes(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_decides_the_version() {
        let secret = "abcdefghijklmnopqrstuvwxyz0123456789ABCD";
        let v2 = format!("nbt_oraclekey001.{secret}");
        assert_eq!(Plain::parse(secret), Some(Plain::V1 { secret }));
        assert_eq!(Plain::parse(&v2), Some(Plain::V2 { key: "oraclekey001", secret }));
        for wrong in ["", "short", &secret[1..], "nbt_", &v2[..50], &format!("{v2}x"), &format!("{}.", &secret[1..])] {
            assert_eq!(Plain::parse(wrong), None, "{wrong}");
        }
        for v1 in [true, false] {
            let value = random_value(v1);
            let plain = Plain::parse(value.expose_secret()).expect("readable");
            assert_eq!(plain.key().is_none(), v1);
        }
    }
}
