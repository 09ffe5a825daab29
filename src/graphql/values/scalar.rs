//! What a scalar takes.

use async_graphql::ScalarType;
use async_graphql_value::ConstValue;

use super::super::scalar::{BigInt, Time};

/// What a scalar takes, in words; `None` if that is anything, as far as is known here.
pub(super) fn expected(scalar: &str) -> Option<&'static str> {
    Some(match scalar {
        "Int" => "a whole number of 32 bits",
        "Float" => "a number",
        "String" => "a string",
        "Boolean" => "true or false",
        "ID" => "a string or a whole number",
        "BigInt" => "a whole number of 64 bits or a string of one",
        "DateTime" => "a string with an RFC 3339 time such as 2026-04-01T00:00:00Z",
        _ => return None,
    })
}

/// Whether a scalar takes this value, which is no null, list or object.
pub(super) fn takes(scalar: &str, value: &ConstValue) -> bool {
    match (scalar, value) {
        ("Int", ConstValue::Number(number)) => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        // The library takes no larger numbers.
        ("ID", ConstValue::Number(number)) => number.is_i64(),
        ("Float", ConstValue::Number(_))
        | ("String" | "ID", ConstValue::String(_))
        | ("Boolean", ConstValue::Boolean(_)) => true,
        ("BigInt", value) => BigInt::is_valid(value),
        ("DateTime", value) => Time::is_valid(value),
        _ => false,
    }
}
