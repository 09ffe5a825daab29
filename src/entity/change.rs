//! One entry of the change log: audit, delta feed and resume point in one.
use sea_orm::entity::prelude::*;

use super::{Action, JsonText};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "change")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub revision: i64,
    /// Position within the revision, from 0.
    #[sea_orm(primary_key, auto_increment = false)]
    pub ordinal: i32,
    pub at: DateTimeUtc,
    pub actor: String,
    pub request_id: Option<String>,
    /// Table of the object; none where the change concerns many rows.
    pub object_type: Option<String>,
    pub object_id: Option<i32>,
    pub action: Action,
    /// Names of the changed fields.
    pub changed: JsonText,
    /// The object before, never with a secret.
    pub before: Option<JsonText>,
    /// The object after, never with a secret.
    pub after: Option<JsonText>,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Where it stands in the log.
    pub fn position(&self) -> Position {
        Position { revision: self.revision, ordinal: self.ordinal }
    }
}

/// A point in the log, as clients keep it to go on from there: `revision.ordinal`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    pub revision: i64,
    pub ordinal: i32,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.revision, self.ordinal)
    }
}

impl std::str::FromStr for Position {
    type Err = ();

    /// In the one form that `Display` writes.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (revision, ordinal) = text.split_once('.').ok_or(())?;
        let position = Self { revision: revision.parse().map_err(drop)?, ordinal: ordinal.parse().map_err(drop)? };
        let sound = position.revision >= 0 && position.ordinal >= 0 && position.to_string() == text;
        if sound { Ok(position) } else { Err(()) }
    }
}
