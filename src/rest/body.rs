//! Reading bodies as the plugin's serializers do: tolerant of types where they are, in their words where they are not.
use super::field::{Access, Spec, Type};
use crate::entity::{Kind, Mode};
use crate::error::{Code, Problem};
use crate::service::{Given, rules};
use secrecy::SecretString;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap};

/// What is done with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// POST.
    Create,
    /// PUT: required fields must be named; what is not named stays.
    Replace,
    /// PATCH.
    Update,
}

/// A body's shape.
#[derive(Debug)]
pub enum Body {
    One(Element),
    Many(Vec<Element>),
}

/// An object of a body, or what stands in its place.
#[derive(Debug)]
pub enum Element {
    Object(Fields),
    Null,
    /// Something else, by Python's name of its type.
    Other(&'static str),
}

/// The fields of an object; of numbers the text matters, which a [`Value`] loses.
pub type Fields = BTreeMap<String, Box<RawValue>>;

/// Reads a body; nothing at all is an empty object.
pub fn parse(bytes: &[u8]) -> Result<Body, serde_json::Error> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Body::One(Element::Object(Fields::new())));
    }
    let whole: &RawValue = serde_json::from_slice(bytes)?;
    if whole.get().starts_with('[') {
        let elements: Vec<&RawValue> = serde_json::from_str(whole.get())?;
        return Ok(Body::Many(elements.into_iter().map(element).collect::<Result<_, _>>()?));
    }
    element(whole).map(Body::One)
}

fn element(raw: &RawValue) -> Result<Element, serde_json::Error> {
    // Everything is read once, so that nesting too deep and texts that are none are found wherever they stand.
    let value: Value = serde_json::from_str(raw.get())?;
    Ok(match value {
        Value::Object(_) => Element::Object(serde_json::from_str(raw.get())?),
        Value::Null => Element::Null,
        other => Element::Other(python_type(&other)),
    })
}

/// Python's name of a JSON value's type, as the plugin's messages have it.
pub fn python_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// The fields of one object on their way into a patch, and what is wrong with them.
#[derive(Debug)]
pub struct Item {
    spec: &'static Spec,
    verb: Verb,
    fields: Fields,
    /// What references and tags that were looked up stand for, by the text they were given in.
    resolved: HashMap<(Kind, String), Found>,
    problems: Vec<Problem>,
}

/// What a reference stands for.
#[derive(Clone, Debug)]
pub enum Found {
    /// An id, or a tag's slug.
    Id(i32),
    Slug(String),
    /// Nothing, and why.
    Nothing(Code, String),
}

impl Item {
    /// The fields of a body's object. A required field that is not named is a problem for POST and PUT.
    pub fn new(spec: &'static Spec, verb: Verb, fields: Fields) -> Self {
        let mut item = Self { spec, verb, fields, resolved: HashMap::new(), problems: Vec::new() };
        for field in spec.fields.iter().filter(|field| field.required && verb != Verb::Update) {
            let fixed = field.access == Access::Once && verb != Verb::Create;
            if !fixed && !item.fields.contains_key(field.name) {
                item.problems.push(rules::required(field.name));
            }
        }
        item
    }

    /// What is done with the object.
    pub fn verb(&self) -> Verb {
        self.verb
    }

    /// What is wrong so far.
    pub fn problems(self) -> Vec<Problem> {
        self.problems
    }

    /// The names that mean nothing here.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str).filter(|name| self.spec.field(name).is_none())
    }

    /// The references and tags that must be looked up, each with its kind and its text.
    pub fn lookups(&self) -> Vec<(Kind, Value, String)> {
        let mut found = Vec::new();
        for field in self.spec.fields {
            let Some(raw) = self.fields.get(field.name) else { continue };
            match field.ty {
                Type::Reference(kind) => {
                    if let Some(value @ Value::Object(_)) = parsed(raw) {
                        found.push((kind, value, raw.get().to_owned()));
                    }
                }
                Type::Tags => {
                    for value in parsed(raw).as_ref().and_then(Value::as_array).into_iter().flatten() {
                        if value.is_object() || number_in(value, &shown(value)).is_some() {
                            found.push((Kind::Tag, value.clone(), value.to_string()));
                        }
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// Notes what was found.
    pub fn resolve(&mut self, kind: Kind, text: String, found: Found) {
        self.resolved.insert((kind, text), found);
    }

    fn refuse(&mut self, code: Code, field: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(code, field, message));
    }

    /// The value of a field: absent, null where that is allowed, or there.
    fn value(&mut self, name: &'static str) -> Given<Value> {
        let field = self.spec.field(name)?;
        let writable = match field.access {
            Access::Read => false,
            Access::Once => self.verb == Verb::Create,
            _ => true,
        };
        let value = parsed(self.fields.get(name).filter(|_| writable)?)?;
        if !value.is_null() {
            return Some(Some(value));
        }
        // A new node must have an address, though it may lose it later.
        let required_now = field.required && self.verb == Verb::Create;
        if field.nullable && !required_now {
            return Some(None);
        }
        self.problems.push(if field.ty == Type::Mode { rules::blank(name) } else { rules::not_null(name) });
        None
    }

    /// Reads a value by a rule that names what is wrong.
    fn read<T>(&mut self, name: &'static str, rule: impl FnOnce(&Value) -> Result<T, &'static str>) -> Given<T> {
        match self.value(name)? {
            None => Some(None),
            Some(value) => match rule(&value) {
                Ok(value) => Some(Some(value)),
                Err(message) => {
                    self.refuse(Code::Invalid, name, message);
                    None
                }
            },
        }
    }

    /// A text; numbers are taken for texts, as they were written.
    pub fn text(&mut self, name: &'static str) -> Given<String> {
        let raw = self.fields.get(name).map(|raw| raw.get().to_owned()).unwrap_or_default();
        self.read(name, |value| match value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(_) => Ok(raw),
            _ => Err("Not a valid string."),
        })
    }

    /// A text that is kept sealed.
    pub fn secret(&mut self, name: &'static str) -> Given<SecretString> {
        self.text(name).map(|text| text.map(SecretString::from))
    }

    /// Takes true and false for the texts "1" and "0".
    pub fn flag_as_text(&mut self, name: &'static str) {
        let flag = self.fields.get(name).and_then(|raw| serde_json::from_str::<bool>(raw.get()).ok());
        if let Some(flag) = flag {
            let text = if flag { "\"1\"" } else { "\"0\"" };
            self.fields.extend(RawValue::from_string(text.to_owned()).ok().map(|raw| (name.to_owned(), raw)));
        }
    }

    /// An IP address, or what a client gives for one, which the rules refuse.
    pub fn address(&mut self, name: &'static str) -> Given<String> {
        // NetBox's own nested form of an address.
        let value = self.value(name)?.map(|value| match value {
            Value::Object(mut object) => object.remove("address").unwrap_or(Value::Object(object)),
            other => other,
        });
        Some(value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
    }

    /// A whole number: `3`, `"3"` and `3.0` alike. What is past 64 bits is at their end, which the rules refuse.
    pub fn int(&mut self, name: &'static str) -> Given<i64> {
        let raw = self.fields.get(name).map(|raw| raw.get().to_owned()).unwrap_or_default();
        let wide = self.read(name, |value| match value {
            Value::Number(_) | Value::String(_) => {
                number_of(value.as_str().unwrap_or(&raw)).ok_or("A valid integer is required.")
            }
            _ => Err("A valid integer is required."),
        })?;
        let Some(wide) = wide else { return Some(None) };
        let Ok(number) = i64::try_from(wide) else {
            if self.spec.field(name).is_some_and(|field| field.ty == Type::BigInt) {
                let end = if wide > 0 { i64::MAX } else { i64::MIN };
                let than = if wide > 0 { "less" } else { "greater" };
                let message = format!("Ensure this value is {than} than or equal to {end}.");
                self.refuse(Code::OutOfRange, name, message);
                return None;
            }
            return Some(Some(if wide > 0 { i64::MAX } else { i64::MIN }));
        };
        Some(Some(number))
    }

    /// A number with a fraction: Python's `float` takes texts and booleans too.
    pub fn float(&mut self, name: &'static str) -> Given<f64> {
        self.read(name, |value| {
            let number = match value {
                Value::Bool(value) => Some(f64::from(u8::from(*value))),
                Value::Number(number) => number.as_f64(),
                Value::String(text) => text.trim().parse().ok(),
                _ => None,
            };
            number.ok_or("A valid number is required.")
        })
    }

    /// A truth in one of the forms that clients send.
    pub fn bool(&mut self, name: &'static str) -> Given<bool> {
        self.read(name, |value| {
            let truth = match value {
                Value::Bool(value) => Some(*value),
                Value::Number(number) => match number.as_f64() {
                    Some(1.0) => Some(true),
                    Some(0.0) => Some(false),
                    _ => None,
                },
                Value::String(text) => truth(text),
                _ => None,
            };
            truth.ok_or("Must be a valid boolean.")
        })
    }

    /// A mode by its value, also in the form that answers have.
    pub fn mode(&mut self, name: &'static str) -> Given<Mode> {
        let value = self.value(name)??;
        let value = match value {
            Value::Object(mut object) if object.contains_key("value") => object.remove("value").unwrap_or_default(),
            other => other,
        };
        let message = match &value {
            Value::Array(_) | Value::Object(_) => {
                "Value must be passed directly (e.g. \"foo\": 123); do not use a dictionary or list.".to_owned()
            }
            Value::String(text) if text.is_empty() => {
                self.problems.push(rules::blank(name));
                return None;
            }
            value => match value.as_str().and_then(Mode::parse) {
                Some(mode) => return Some(Some(mode)),
                None => format!("{} is not a valid choice.", shown(value)),
            },
        };
        self.refuse(Code::Invalid, name, message);
        None
    }

    /// Any JSON.
    pub fn json(&mut self, name: &'static str) -> Given<Value> {
        self.value(name)
    }

    /// A reference: by number, or by attributes that were looked up before.
    pub fn reference(&mut self, name: &'static str) -> Given<i32> {
        let raw = self.fields.get(name).map(|raw| raw.get().to_owned()).unwrap_or_default();
        let value = match self.value(name)? {
            None => return Some(None),
            Some(value) => value,
        };
        let Some(Type::Reference(kind)) = self.spec.field(name).map(|field| field.ty) else { return None };
        match self.found(kind, &value, raw) {
            Found::Id(id) => Some(Some(id)),
            Found::Slug(_) => None,
            Found::Nothing(code, message) => {
                self.refuse(code, name, message);
                None
            }
        }
    }

    /// What a value given for a reference stands for.
    fn found(&self, kind: Kind, value: &Value, raw: String) -> Found {
        let key = (kind, raw);
        if let Some(found) = self.resolved.get(&key) {
            return found.clone();
        }
        let text = value.as_str().unwrap_or(&key.1);
        let number = number_in(value, text);
        match number.map(i32::try_from) {
            Some(Ok(id)) => Found::Id(id),
            Some(Err(_)) => not_found(text),
            None => Found::Nothing(
                Code::Invalid,
                format!(
                    "Related objects must be referenced by numeric ID or by dictionary of attributes. Received an \
                     unrecognized value: {}",
                    shown(value)
                ),
            ),
        }
    }

    /// Tags, by slug.
    pub fn tags(&mut self, name: &'static str) -> Given<Vec<String>> {
        let value = self.value(name)??;
        let Value::Array(list) = value else {
            let message = format!("Expected a list of items but got type \"{}\".", python_type(&value));
            let path = vec![name.to_owned(), "non_field_errors".to_owned()];
            self.problems.push(Problem { code: Code::Invalid, path, message });
            return None;
        };
        let mut slugs = Vec::new();
        for value in list {
            match self.found(Kind::Tag, &value, value.to_string()) {
                Found::Slug(slug) => slugs.push(slug),
                Found::Id(id) => {
                    let Found::Nothing(code, message) = not_found(&id.to_string()) else { continue };
                    self.refuse(code, name, message);
                    return None;
                }
                Found::Nothing(code, message) => {
                    self.refuse(code, name, message);
                    return None;
                }
            }
        }
        Some(Some(slugs))
    }
}

/// The number by which an object is referred to. Python's `int` takes the number 1.0, but not the text.
pub fn number_in(value: &Value, text: &str) -> Option<i128> {
    match value {
        Value::Number(_) => number_of(text),
        Value::String(_) => whole_of(text),
        _ => None,
    }
}

/// The refusal of a number that nothing has.
pub fn not_found(number: &str) -> Found {
    let message = format!("Related object not found using the provided numeric ID: {number}");
    Found::Nothing(Code::ReferenceNotFound, message)
}

fn parsed(raw: &RawValue) -> Option<Value> {
    serde_json::from_str(raw.get()).ok()
}

/// The texts that the plugin's serializers take for true and for false, in any case.
pub const TRUE: [&str; 6] = ["true", "t", "yes", "y", "on", "1"];
/// See [`TRUE`].
pub const FALSE: [&str; 6] = ["false", "f", "no", "n", "off", "0"];

fn truth(text: &str) -> Option<bool> {
    let is_one_of = |texts: [&str; 6]| texts.iter().any(|known| known.eq_ignore_ascii_case(text));
    if is_one_of(TRUE) { Some(true) } else { is_one_of(FALSE).then_some(false) }
}

/// A whole number in Python's way: blanks around it, a sign, zeros behind a point.
pub fn number_of(text: &str) -> Option<i128> {
    let text = text.trim();
    match text.split_once('.') {
        Some((front, zeros)) if zeros.bytes().all(|b| b == b'0') => whole_of(front),
        Some(_) => None,
        None => whole_of(text),
    }
}

/// The same without a point. What is past 128 bits is at their end.
pub fn whole_of(text: &str) -> Option<i128> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    // Python allows one underscore between digits, and digits of other scripts, of which full-width ones are in use.
    let apart = digits.split('_').all(|part| !part.is_empty() && part.chars().all(|c| digit(c).is_some()));
    if !apart {
        return None;
    }
    let value = digits
        .chars()
        .filter_map(digit)
        .try_fold(0_i128, |value, digit| value.checked_mul(10).and_then(|value| value.checked_add(i128::from(digit))));
    let value = value.unwrap_or(i128::MAX);
    Some(if negative { -value } else { value })
}

fn digit(c: char) -> Option<u32> {
    match c {
        '０'..='９' => Some(c as u32 - '０' as u32),
        other => other.to_digit(10),
    }
}

/// A value as Python's `str` shows it.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => repr(other),
    }
}

/// A value as Python's `repr` shows it.
pub fn repr(value: &Value) -> String {
    match value {
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
        Value::Array(list) => format!("[{}]", list.iter().map(repr).collect::<Vec<_>>().join(", ")),
        Value::Object(object) => {
            let pairs = object.iter().map(|(key, value)| format!("'{key}': {}", repr(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}
