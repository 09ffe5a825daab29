//! One row of the plugin's, taken apart field by field; everything wrong with it is told at once.
use crate::entity::parse_time;
use crate::error::{Code, Problem};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

/// A row whose fields are taken out; what stays in it nobody knows.
#[derive(Debug)]
pub(super) struct Item {
    fields: Map<String, Value>,
    problems: Vec<Problem>,
}

impl Item {
    pub(super) fn new(fields: Map<String, Value>) -> Self {
        Self { fields, problems: Vec::new() }
    }

    /// What is wrong with it, or the names that nobody asked for.
    pub(super) fn end(self) -> Result<impl Iterator<Item = String>, Vec<Problem>> {
        if self.problems.is_empty() { Ok(self.fields.into_iter().map(|(name, _)| name)) } else { Err(self.problems) }
    }

    /// Fields that follow from others.
    pub(super) fn skip(&mut self, names: &[&str]) {
        names.iter().for_each(|name| drop(self.fields.remove(*name)));
    }

    fn take(&mut self, field: &str) -> Option<Value> {
        self.fields.remove(field).filter(|value| !value.is_null())
    }

    fn wrong<T>(&mut self, field: &str, message: &str) -> Option<T> {
        self.problems.push(Problem::new(Code::Invalid, field, message));
        None
    }

    pub(super) fn text(&mut self, field: &str) -> Option<String> {
        match self.take(field)? {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            _ => self.wrong(field, "must be a text"),
        }
    }

    /// Proxmox's flag or path, which some versions show as a truth value.
    pub(super) fn flag_or_text(&mut self, field: &str) -> Option<String> {
        match self.fields.get(field) {
            Some(Value::Bool(flag)) => {
                let text = if *flag { "1" } else { "0" };
                self.skip(&[field]);
                Some(text.into())
            }
            _ => self.text(field),
        }
    }

    pub(super) fn int<T: TryFrom<i64>>(&mut self, field: &str) -> Option<T> {
        let value = self.take(field)?;
        let whole =
            value.as_i64().or_else(|| value.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < 9e15).map(|f| f as i64));
        match whole.map(T::try_from) {
            Some(Ok(number)) => Some(number),
            Some(Err(_)) => self.wrong(field, "is too large or too small"),
            None => self.wrong(field, "must be a whole number that fits"),
        }
    }

    pub(super) fn float(&mut self, field: &str) -> Option<f64> {
        match self.take(field)?.as_f64() {
            Some(number) => Some(number),
            None => self.wrong(field, "must be a number"),
        }
    }

    pub(super) fn bool(&mut self, field: &str) -> Option<bool> {
        match self.take(field)? {
            Value::Bool(value) => Some(value),
            _ => self.wrong(field, "must be true or false"),
        }
    }

    pub(super) fn json(&mut self, field: &str) -> Value {
        self.take(field).unwrap_or_else(|| Value::Object(Map::new()))
    }

    /// `{value, label}`, or the value alone.
    pub(super) fn choice(&mut self, field: &str) -> Option<String> {
        match self.take(field)? {
            Value::String(text) => Some(text),
            Value::Object(mut choice) => match choice.remove("value") {
                Some(Value::String(text)) => Some(text),
                _ => self.wrong(field, "must be a choice with a value"),
            },
            _ => self.wrong(field, "must be a choice"),
        }
    }

    /// An address, or NetBox's object of one; the length of the prefix says nothing about the host.
    pub(super) fn address(&mut self, field: &str) -> Option<String> {
        let text = match self.take(field)? {
            Value::String(text) => text,
            Value::Object(mut object) => match object.remove("address") {
                Some(Value::String(text)) => text,
                _ => return self.wrong(field, "must have an address"),
            },
            _ => return self.wrong(field, "must be an address"),
        };
        let host = text.split('/').next().unwrap_or_default().trim();
        (!host.is_empty()).then(|| host.to_owned())
    }

    /// A time; older versions of NetBox tell a date.
    pub(super) fn time(&mut self, field: &str) -> Option<DateTime<Utc>> {
        let text = self.text(field)?;
        let time = if text.contains('T') { parse_time(&text) } else { parse_time(&format!("{text}T00:00:00Z")) };
        if time.is_none() {
            return self.wrong(field, "must be a time in the years 1 to 9999");
        }
        time
    }

    /// The id of this row: positive, and another one must be able to follow.
    pub(super) fn id(&mut self) -> i32 {
        match self.int("id") {
            Some(id) if (1..i32::MAX).contains(&id) => id,
            Some(_) => self.wrong("id", "must be positive, and not the largest there is").unwrap_or_default(),
            None if self.problems.is_empty() => self.wrong("id", "is missing").unwrap_or_default(),
            None => 0,
        }
    }

    /// A nested object, or the id alone; its own problems are told behind its field's name.
    pub(super) fn nested<T>(&mut self, field: &str, read: impl FnOnce(&mut Item) -> T) -> Option<T> {
        let object = match self.take(field)? {
            Value::Object(object) => object,
            id @ Value::Number(_) => Map::from_iter([("id".to_owned(), id)]),
            _ => return self.wrong(field, "must be an object with an id"),
        };
        let mut item = Self::new(object);
        let value = read(&mut item);
        self.adopt(field, item.problems);
        Some(value)
    }

    /// A list of nested objects.
    pub(super) fn list<T>(&mut self, field: &str, read: impl Fn(&mut Item) -> T) -> Vec<T> {
        let Some(value) = self.take(field) else { return Vec::new() };
        let Value::Array(list) = value else { return self.wrong(field, "must be a list").unwrap_or_default() };
        let mut found = Vec::new();
        for one in list {
            let Value::Object(object) = one else {
                self.wrong::<()>(field, "must be a list of objects");
                continue;
            };
            let mut item = Self::new(object);
            found.push(read(&mut item));
            self.adopt(field, item.problems);
        }
        found
    }

    fn adopt(&mut self, field: &str, problems: Vec<Problem>) {
        self.problems.extend(problems.into_iter().map(|mut problem| {
            problem.path.insert(0, field.to_owned());
            problem
        }));
    }
}
