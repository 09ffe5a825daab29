use std::{fmt, str::FromStr};

/// A JSON document in a TEXT column: `json` and `jsonb` columns both lose the order of keys, since sea-orm binds jsonb.
#[derive(Clone, Debug, PartialEq, Eq, Default, sea_orm::DeriveValueType)]
#[sea_orm(value_type = "String", column_type = "Text")]
pub struct JsonText(pub serde_json::Value);

impl JsonText {
    /// The empty object, default of `raw_config` and `custom_fields`.
    pub fn object() -> Self {
        Self(serde_json::Value::Object(serde_json::Map::new()))
    }
}

impl fmt::Display for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for JsonText {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(text).map(Self)
    }
}
