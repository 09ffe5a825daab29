//! The key under which secrets lie, and how it is changed while servers serve.
//!
//! The sealed pepper says which key is the database's: whoever seals something seals it under that one, whichever of the
//! keys he was given it is. So all servers change over at the moment in which the pepper does.
use super::token::{PEPPER, Pepper, pepper_place};
use super::{Tx, endpoint};
use crate::db::Db;
use crate::entity::endpoint::{Column, Entity};
use crate::entity::{Kind, setting};
use crate::error::{Error, Result};
use crate::secret::{Key, Place, Sealer, key_of};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use secrecy::ExposeSecret;

/// The columns that hold something sealed.
const COLUMNS: [(&str, Column); 2] = [("password", Column::Password), ("token_value", Column::TokenValue)];

/// Id and sealed values of an endpoint, in the order of [`COLUMNS`].
type Values = (i32, Option<String>, Option<String>);

/// One sealed value, and how it stands.
#[derive(Debug)]
pub struct Held {
    /// For people: whose it is.
    pub place: String,
    /// The id of the key under which it lies; none if it is no sealed value at all.
    pub key: Option<String>,
    /// Why it does not open, if it does not.
    pub problem: Option<Error>,
}

/// How far a change of the key came.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Values that lie under the current key now, and did not before.
    pub resealed: usize,
    /// The last endpoint that was looked at; none if there is no other.
    pub last: Option<i32>,
}

/// The key of the database, which nobody changes before this transaction ends. An error if it is not given here.
pub(super) async fn key(tx: &Tx) -> Result<&Key> {
    let pepper = setting::Entity::find_by_id(PEPPER).lock_shared().one(tx.connection()).await?;
    let pepper = pepper.ok_or_else(|| Error::Internal("there is no pepper".into()))?.value;
    let id = key_of(&pepper).ok_or_else(|| Error::Internal("the pepper is no sealed value".into()))?;
    tx.sealer().key(id)
}

/// Seals the pepper under the current key, which makes it the database's; whether it was another's. What the pepper is
/// stays, and so do the tokens.
pub async fn rotate_pepper(tx: &Tx) -> Result<bool> {
    let pepper = setting::Entity::find_by_id(PEPPER).lock_exclusive().one(tx.connection()).await?;
    let pepper = pepper.ok_or_else(|| Error::Internal("there is no pepper".into()))?.value;
    let resealed = reseal(&pepper, tx.sealer(), pepper_place())?;
    if let Some(resealed) = &resealed {
        Pepper::replace(tx, resealed).await?;
    }
    Ok(resealed.is_some())
}

/// Seals the secrets of the next endpoints, those behind this id, under the current key. What does not open stays as it
/// is, for [`held`] to tell. This is no change of the endpoints.
pub async fn rotate_endpoints(tx: &Tx, behind: i32) -> Result<Step> {
    const MOST: u64 = 100;
    tx.take_turn(Kind::Endpoint).await?;
    let rows = values(tx.connection(), behind, Some(MOST)).await?;
    let mut step = Step { resealed: 0, last: rows.last().map(|(id, ..)| *id) };
    for (id, column, sealed) in rows.iter().flat_map(each) {
        let (name, column) = COLUMNS[column];
        let Ok(Some(resealed)) = reseal(sealed, tx.sealer(), endpoint::place(&id.to_string(), name)) else { continue };
        // Somebody may have given another secret since it was read; that one lies under the database's key already.
        let update = Entity::update_many().col_expr(column, Expr::value(resealed));
        let update = update.filter(Column::Id.eq(id)).filter(column.eq(sealed)).exec(tx.connection()).await?;
        step.resealed += update.rows_affected as usize;
    }
    Ok(step)
}

/// Every sealed value of the database, and whether it opens.
pub async fn held(db: &Db, sealer: &Sealer) -> Result<Vec<Held>> {
    let look = |told: String, sealed: &str, place: Place<'_>| Held {
        place: told,
        key: key_of(sealed).map(str::to_owned),
        problem: sealer.open(sealed, place).err(),
    };
    let pepper = Pepper::sealed(&db.read).await?;
    let pepper = pepper.iter().map(|sealed| look("the pepper of the tokens".into(), sealed, pepper_place()));
    let rows = values(&db.read, 0, None).await?;
    let secrets = rows.iter().flat_map(each).map(|(id, column, sealed)| {
        let (name, _) = COLUMNS[column];
        look(format!("{name} of the endpoint {id}"), sealed, endpoint::place(&id.to_string(), name))
    });
    Ok(pepper.chain(secrets).collect())
}

/// The value under the current key; none if it lies there already.
fn reseal(sealed: &str, sealer: &Sealer, place: Place<'_>) -> Result<Option<String>> {
    if key_of(sealed) == Some(sealer.key_id()) {
        return Ok(None);
    }
    sealer.seal(sealer.open(sealed, place)?.expose_secret(), place).map(Some)
}

/// The endpoints behind this id, at most so many.
async fn values(connection: &impl ConnectionTrait, behind: i32, most: Option<u64>) -> Result<Vec<Values>> {
    let query = Entity::find().select_only().columns([Column::Id, Column::Password, Column::TokenValue]);
    let query = query.filter(Column::Id.gt(behind)).order_by_asc(Column::Id).limit(most);
    Ok(query.into_tuple().all(connection).await?)
}

/// The values of an endpoint: its id, the place of the column in [`COLUMNS`], and what lies there.
fn each((id, password, token_value): &Values) -> impl Iterator<Item = (i32, usize, &str)> {
    let sealed = [password, token_value].into_iter().enumerate();
    sealed.filter_map(|(column, sealed)| Some((*id, column, sealed.as_deref()?)))
}
