//! Our scalars, and ids: readable and global, or REST's integer where the type is known.
use crate::entity::{Kind, parse_time};
use crate::error::{Error, Result};
use async_graphql::{ID, InputValueError, InputValueResult, Number, Scalar, ScalarType, Value};
use chrono::{DateTime, SecondsFormat, Utc};

/// A whole number of 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BigInt(pub i64);

/// Whole 64-bit number (bytes, counters). A JSON number equal to REST's value; parse it with a 64-bit type where more
/// than 2^53 matters. Input: number or decimal string.
#[Scalar(name = "BigInt")]
impl ScalarType for BigInt {
    fn parse(value: Value) -> InputValueResult<Self> {
        let number = match &value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => return Err(InputValueError::expected_type(value)),
        };
        number.map(Self).ok_or_else(|| InputValueError::custom("must be a whole number of 64 bits"))
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::Number(self.0.into())
    }
}

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub DateTime<Utc>);

/// RFC 3339 instant in UTC, e.g. `2026-04-01T00:00:00Z`. Input may carry any offset; parts below a microsecond are cut.
#[Scalar(name = "DateTime", specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for Time {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        parse_time(text)
            .map(Self)
            .ok_or_else(|| InputValueError::custom("must be an RFC 3339 time such as 2026-04-01T00:00:00Z"))
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(timestamp(self.0))
    }
}

/// REST's form: microseconds only when they are not zero.
fn timestamp(time: DateTime<Utc>) -> String {
    let exact = if time.timestamp_subsec_micros() == 0 { SecondsFormat::Secs } else { SecondsFormat::Micros };
    time.to_rfc3339_opts(exact, true)
}

/// A JSON document.
#[derive(Clone, Debug, PartialEq)]
pub struct Json(pub serde_json::Value);

/// Any JSON value.
#[Scalar(name = "JSON", specified_by_url = "https://datatracker.ietf.org/doc/html/rfc8259")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(value.into_json()?))
    }

    fn to_value(&self) -> Value {
        convert(&self.0)
    }
}

/// By hand, since the library's conversion goes through serde and is several times slower on large documents.
fn convert(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Boolean(*value),
        serde_json::Value::Number(value) => Value::Number(Number::clone(value)),
        serde_json::Value::String(value) => Value::String(value.clone()),
        serde_json::Value::Array(list) => Value::List(list.iter().map(convert).collect()),
        serde_json::Value::Object(object) => {
            Value::Object(object.iter().map(|(key, value)| (async_graphql::Name::new(key), convert(value))).collect())
        }
    }
}

/// The global id of an object.
pub fn global_id(kind: Kind, id: i32) -> ID {
    ID(format!("{}:{id}", kind.type_name()))
}

/// The REST id in an id argument of a known type: the integer itself, or a global id of that type.
pub fn local_id(id: &ID, kind: Kind) -> Result<i32> {
    let number = match id.split_once(':') {
        None => id.as_str(),
        Some((name, number)) if name == kind.type_name() => number,
        Some((name, _)) if Kind::ALL.iter().any(|other| other.type_name() == name) => {
            return Err(Error::input(format!("`{}` is the id of a {name}, not of a {}", short(id), kind.type_name())));
        }
        Some(_) => return Err(not_an_id(id, kind)),
    };
    integer(number).ok_or_else(|| not_an_id(id, kind))
}

/// The first half of the global id of a run of sync.
const RUN: &str = "SyncRun";

/// The global id of a run of sync.
pub fn run_global_id(id: i32) -> ID {
    ID(format!("{RUN}:{id}"))
}

/// The number in a global id of a run; none for what is no such id.
pub fn parse_run_id(id: &ID) -> Option<i32> {
    integer(id.strip_prefix(RUN)?.strip_prefix(':')?)
}

/// The number in an id argument of a run: the integer itself, or a global id.
pub fn run_id(id: &ID) -> Result<i32> {
    let wrong =
        || Error::input(format!("`{}` is not an id of a {RUN}: give its number or `{RUN}:<number>`", short(id)));
    parse_run_id(id).or_else(|| integer(id)).ok_or_else(wrong)
}

/// The kind and REST id of a global id.
pub fn parse_global_id(id: &ID) -> Result<(Kind, i32)> {
    let parts = id.split_once(':').and_then(|(name, number)| {
        Some((Kind::ALL.into_iter().find(|kind| kind.type_name() == name)?, integer(number)?))
    });
    parts.ok_or_else(|| {
        Error::input(format!("`{}` is not a global id such as `{}:1`", short(id), Kind::Cluster.type_name()))
    })
}

/// Digits only: `+1`, `01` and the like name nothing.
fn integer(text: &str) -> Option<i32> {
    let number: i32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn not_an_id(id: &ID, kind: Kind) -> Error {
    let name = kind.type_name();
    Error::input(format!("`{}` is not an id of a {name}: give its number or `{name}:<number>`", short(id)))
}

/// What a client sent, cut for the message.
fn short(id: &ID) -> String {
    id.chars().take(60).collect()
}
