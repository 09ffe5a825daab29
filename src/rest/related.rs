//! What references given by attributes stand for: `{"name": "prod"}`, or a nested object as answers show it.
use super::body::{Found, Item, not_found, number_in, repr};
use crate::db::Db;
use crate::entity::{Kind, tag};
use crate::error::{Code, Error, Result};
use crate::filter::{View, constraint};
use crate::service::read;
use serde_json::{Value, json};
use std::collections::HashMap;

/// What was looked up for a request: the objects of a bulk mostly refer to the same few.
pub type Known = HashMap<(Kind, String), Found>;

/// Looks up the references of an object.
pub async fn resolve(db: &Db, item: &mut Item, known: &mut Known) -> Result<()> {
    for (kind, value, text) in item.lookups() {
        let key = (kind, text.clone());
        let found = match known.get(&key) {
            Some(found) => found.clone(),
            None => {
                let found = look_up(db, kind, &value).await?;
                known.insert(key, found.clone());
                found
            }
        };
        item.resolve(kind, text, found);
    }
    Ok(())
}

async fn look_up(db: &Db, kind: Kind, value: &Value) -> Result<Found> {
    let number = match value {
        // As answers show it: the number counts, whatever the object is called now.
        Value::Object(object) if object.contains_key("url") || object.contains_key("display") => object.get("id"),
        Value::Object(_) => None,
        number => Some(number),
    };
    let attributes = match number {
        Some(number) => {
            let text = number.as_str().map_or_else(|| number.to_string(), str::to_owned);
            match number_in(number, &text).map(i32::try_from) {
                Some(Ok(id)) if kind != Kind::Tag => return Ok(Found::Id(id)),
                Some(Ok(id)) => json!({"id": id}),
                _ => return Ok(not_found(&text)),
            }
        }
        None => value.clone(),
    };
    let filter = match constraint(kind, &attributes).and_then(|filter| filter.check_size().map(|()| filter)) {
        Ok(filter) => filter,
        Err(Error::Input(problems)) => {
            let told = problems.into_iter().next();
            return Ok(Found::Nothing(Code::Invalid, told.map_or_else(String::new, |problem| problem.message)));
        }
        Err(error) => return Err(error),
    };
    let ids = read::ids(db, &View::everything(), kind, &filter, 2).await?;
    Ok(match (ids.as_slice(), number) {
        ([id], _) if kind == Kind::Tag => slug(db, *id).await?,
        ([id], _) => Found::Id(*id),
        ([], Some(number)) => not_found(&number.as_str().map_or_else(|| number.to_string(), str::to_owned)),
        ([], None) => {
            let message = format!("Related object not found using the provided attributes: {}", repr(value));
            Found::Nothing(Code::ReferenceNotFound, message)
        }
        _ => {
            let message = format!("Multiple objects match the provided attributes: {}", repr(value));
            Found::Nothing(Code::Invalid, message)
        }
    })
}

async fn slug(db: &Db, id: i32) -> Result<Found> {
    let tags = read::by_ids::<tag::Entity>(db, &View::everything(), &[id]).await?;
    Ok(tags.get(&id).map_or_else(|| not_found(&id.to_string()), |tag| Found::Slug(tag.slug.clone())))
}
