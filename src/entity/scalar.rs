use chrono::{DateTime, Datelike, Utc};
use sea_orm::Value;

/// One value of a column, whatever its table: what filters compare with and cursors remember.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Time(DateTime<Utc>),
}

/// The time of an RFC 3339 text as both databases keep it: whole microseconds, in the years 1–9999.
pub fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    // chrono's own truncation knows only the years whose nanoseconds fit 64 bits.
    DateTime::from_timestamp_micros(time.timestamp_micros()).filter(|time| (1..=9999).contains(&time.year()))
}

impl From<Scalar> for Value {
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Bool(value) => value.into(),
            Scalar::Int(value) => value.into(),
            Scalar::Float(value) => value.into(),
            Scalar::Text(value) => value.into(),
            Scalar::Time(value) => value.into(),
        }
    }
}

impl Scalar {
    /// The value of a column as sea-orm hands it over; none for NULL.
    pub fn of(value: Value) -> Option<Self> {
        match value {
            Value::Bool(value) => value.map(Self::Bool),
            Value::Int(value) => value.map(|value| Self::Int(value.into())),
            Value::BigInt(value) => value.map(Self::Int),
            Value::Double(value) => value.map(Self::Float),
            Value::String(value) => value.map(Self::Text),
            Value::ChronoDateTimeUtc(value) => value.map(Self::Time),
            _ => None,
        }
    }

    /// Compares values of one type; text by bytes, as both databases do.
    pub fn compare(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            (Self::Text(a), Self::Text(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
            (Self::Time(a), Self::Time(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}
