//! Scalars as Proxmox' Perl, third-party plugins and other versions write them: a flag is a boolean, a number or a word,
//! a number may be a text. What cannot be read is unknown, never an error.
use serde_json::Value;

/// A text; numbers and booleans in their JSON form. One with NUL is none: PostgreSQL cannot store it.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.contains('\0') => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// A flag: a boolean, 0 or 1, or one of the words that Proxmox takes.
pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => Some(number.as_f64()? != 0.0),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "1" | "yes" | "on" | "true" => Some(true),
            "0" | "no" | "off" | "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A whole number of 64 bits. One out of range, or with a fraction, is none.
pub(super) fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok().or_else(|| whole(text.trim().parse().ok()?)),
        _ => None,
    }
}

/// A finite number.
pub(super) fn float(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// A number without a fraction, as long as every whole number around it is one too.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = (1_i64 << 53) as f64;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn flags() {
        for yes in [json!(true), json!(1), json!("1"), json!("yes"), json!("On"), json!("true"), json!(1.0)] {
            assert_eq!(flag(&yes), Some(true), "{yes}");
        }
        for no in [json!(false), json!(0), json!("0"), json!("no"), json!("off"), json!("False")] {
            assert_eq!(flag(&no), Some(false), "{no}");
        }
        for unknown in [json!(null), json!(""), json!("maybe"), json!([]), json!({})] {
            assert_eq!(flag(&unknown), None, "{unknown}");
        }
    }

    #[test]
    fn numbers() {
        for (given, expected) in [
            (json!(8007), Some(8007)),
            (json!("8007"), Some(8007)),
            (json!(" 5 "), Some(5)),
            (json!(-1), Some(-1)),
            (json!(4.0), Some(4)),
            (json!("4.0"), Some(4)),
            (json!(4.5), None),
            (json!(i64::MAX), Some(i64::MAX)),
            (json!(u64::MAX), None),
            (json!(1e300), None),
            (json!("99999999999999999999"), None),
            (json!("x"), None),
            (json!(true), None),
            (json!(null), None),
        ] {
            assert_eq!(int(&given), expected, "{given}");
        }
        for (given, expected) in [
            (json!(0.125), Some(0.125)),
            (json!(0), Some(0.0)),
            (json!("0.5"), Some(0.5)),
            (json!("NaN"), None),
            (json!("inf"), None),
            (json!([]), None),
        ] {
            assert_eq!(float(&given), expected, "{given}");
        }
    }

    #[test]
    fn texts() {
        assert_eq!(text(&json!("a")).as_deref(), Some("a"));
        assert_eq!(text(&json!(8.4)).as_deref(), Some("8.4"));
        for none in [json!("a\0b"), json!(null), json!([]), json!({})] {
            assert_eq!(text(&none), None, "{none}");
        }
    }
}
