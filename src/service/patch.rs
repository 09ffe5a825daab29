//! From a patch to a row: what is given is put in place by the rules, and everything wrong is told at once.
use super::rules;
use crate::entity::{JsonText, Kind};
use crate::error::{Code, Error, Problem, Result};
use serde_json::Value;

/// A field of a patch: absent keeps what is there, null clears it.
pub type Given<T> = Option<Option<T>>;

/// Puts the fields of a patch on a row, and collects what is wrong with them.
#[derive(Debug)]
pub struct Fields {
    kind: Kind,
    creating: bool,
    problems: Vec<Problem>,
    references: Vec<Reference>,
}

/// A reference that a patch sets; whether its target is there is for the database to say.
#[derive(Debug)]
pub(super) struct Reference {
    pub field: &'static str,
    pub target: Kind,
    pub id: i32,
}

impl Fields {
    /// For a new row, whose required fields must be given, or for one that is there; with what is known to be wrong
    /// already.
    pub(super) fn new(kind: Kind, creating: bool, problems: Vec<Problem>) -> Self {
        Self { kind, creating, problems, references: Vec::new() }
    }

    /// Whether the row is a new one.
    pub fn creating(&self) -> bool {
        self.creating
    }

    /// Notes what is wrong.
    pub fn refuse(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(super) fn references(&self) -> &[Reference] {
        &self.references
    }

    /// All that is wrong, if anything is.
    pub(super) fn finish(self) -> Result<()> {
        if self.problems.is_empty() { Ok(()) } else { Err(Error::Input(self.problems)) }
    }

    /// What a rule answers, unless it refuses.
    fn passed<T>(&mut self, ruled: std::result::Result<T, Problem>) -> Option<T> {
        ruled.map_err(|problem| self.refuse(problem)).ok()
    }

    /// A field that a new row must have.
    pub fn require<T>(&mut self, field: &'static str, given: &Given<T>) {
        let known = |problem: &Problem| problem.path.first().is_some_and(|first| first == field);
        if self.creating && given.is_none() && !self.problems.iter().any(known) {
            self.refuse(rules::required(field));
        }
    }

    /// The value of a field that may not be null.
    fn value<'a, T>(&mut self, field: &'static str, given: &'a Given<T>) -> Option<&'a T> {
        if let Some(None) = given {
            self.refuse(rules::not_null(field));
        }
        given.as_ref()?.as_ref()
    }

    /// A value that is sound as it is.
    pub fn plain<T: Clone>(&mut self, field: &'static str, given: &Given<T>, place: &mut T) {
        if let Some(value) = self.value(field, given) {
            place.clone_from(value);
        }
    }

    /// A text that must not be blank; blanks around it do not count.
    pub fn filled(&mut self, field: &'static str, given: &Given<String>, place: &mut String) {
        let Some(value) = self.value(field, given).map(|value| value.trim()) else { return };
        if self.passed(rules::filled(self.kind, field, value)).is_some() {
            value.clone_into(place);
        }
    }

    /// A text with a rule of its own.
    pub fn ruled(
        &mut self,
        field: &'static str,
        given: &Given<String>,
        rule: impl FnOnce(&str) -> std::result::Result<(), Problem>,
        place: &mut String,
    ) {
        let Some(value) = self.value(field, given).map(|value| value.trim()) else { return };
        if self.passed(rule(value)).is_some() {
            value.clone_into(place);
        }
    }

    /// A text that may be empty.
    pub fn text(&mut self, field: &'static str, given: &Given<String>, place: &mut String) {
        let Some(value) = self.value(field, given).map(|value| value.trim()) else { return };
        if self.passed(rules::text(self.kind, field, value)).is_some() {
            value.clone_into(place);
        }
    }

    /// A text that may be null, which is not the same as empty.
    pub fn optional_text(&mut self, field: &'static str, given: &Given<String>, place: &mut Option<String>) {
        let Some(value) = given else { return };
        let value = value.as_deref().map(str::trim);
        if self.passed(value.map_or(Ok(()), |value| rules::text(self.kind, field, value))).is_some() {
            *place = value.map(str::to_owned);
        }
    }

    /// A whole number that may be null, in a column of its size.
    pub fn optional_int(
        &mut self,
        field: &'static str,
        given: &Given<i64>,
        range: std::ops::RangeInclusive<i64>,
        place: &mut Option<i32>,
    ) {
        let Some(value) = given else { return };
        if self.passed(value.map_or(Ok(()), |value| rules::within(field, value, range))).is_some() {
            *place = value.and_then(|value| i32::try_from(value).ok());
        }
    }

    /// A whole number, in a column of its size.
    pub fn int(
        &mut self,
        field: &'static str,
        given: &Given<i64>,
        range: std::ops::RangeInclusive<i64>,
        place: &mut i32,
    ) {
        let Some(value) = self.value(field, given).copied() else { return };
        let ruled = rules::within(field, value, range);
        if let (Some(()), Ok(value)) = (self.passed(ruled), i32::try_from(value)) {
            *place = value;
        }
    }

    /// A number of 64 bits that may be null.
    pub fn optional_big(&mut self, given: &Given<i64>, place: &mut Option<i64>) {
        if let Some(value) = given {
            *place = *value;
        }
    }

    /// A number with a fraction that may be null.
    pub fn optional_float(&mut self, field: &'static str, given: &Given<f64>, place: &mut Option<f64>) {
        let Some(value) = given else { return };
        if self.passed(value.map_or(Ok(()), |value| rules::finite(field, value))).is_some() {
            *place = *value;
        }
    }

    /// An IP address, stored in canonical form.
    pub fn address(&mut self, field: &'static str, given: &Given<String>, place: &mut Option<String>) {
        let Some(value) = given else { return };
        // A node may be known before its address; a new one of a client's may not.
        if value.is_none() && self.creating && self.kind == Kind::Node {
            return self.refuse(rules::not_null(field));
        }
        // What is there already is no change: a loaded one may be IPv4-mapped, and clients send back what they got.
        if value.as_deref().and_then(|value| rules::loaded_address(value.trim()).ok()) == *place && place.is_some() {
            return;
        }
        if let Some(address) = self.passed(value.as_deref().map(rules::written_address).transpose()) {
            *place = address;
        }
    }

    /// The fingerprint of a certificate, in one form.
    pub fn fingerprint(&mut self, given: &Given<String>, place: &mut Option<String>) {
        let Some(value) = given else { return };
        if let Some(fingerprint) = self.passed(value.as_deref().map(rules::fingerprint).transpose()) {
            *place = fingerprint;
        }
    }

    /// Certificates of authorities, as PEM and nothing but them; "" is none.
    pub fn certificates(&mut self, given: &Given<String>, place: &mut Option<String>) {
        let Some(value) = given else { return };
        let value = value.as_deref().filter(|value| !value.trim().is_empty());
        if let Some(certificates) = self.passed(value.map(rules::certificates).transpose()) {
            *place = certificates;
        }
    }

    /// Seconds between two runs; null = as the server's setting says.
    pub fn interval(&mut self, given: &Given<i64>, place: &mut Option<i32>) {
        let Some(value) = given else { return };
        let ruled = value.map(|value| i32::try_from(value).unwrap_or(i32::MAX)).map(rules::interval).transpose();
        if let Some(interval) = self.passed(ruled) {
            *place = interval;
        }
    }

    /// A reference that must be there.
    pub fn reference(&mut self, field: &'static str, target: Kind, given: &Given<i32>, place: &mut i32) {
        let Some(id) = self.value(field, given).copied() else { return };
        // A new row refers to nothing yet, whatever number stands there.
        self.refer(field, target, id, self.creating || *place != id);
        *place = id;
    }

    /// A reference that may be null.
    pub fn optional_reference(
        &mut self,
        field: &'static str,
        target: Kind,
        given: &Given<i32>,
        place: &mut Option<i32>,
    ) {
        let Some(id) = given else { return };
        if let Some(id) = id {
            self.refer(field, target, *id, *place != Some(*id));
        }
        *place = *id;
    }

    /// What a row refers to already is there: a foreign key says so.
    fn refer(&mut self, field: &'static str, target: Kind, id: i32, new: bool) {
        if new {
            self.references.push(Reference { field, target, id });
        }
    }

    /// Values of custom fields: their keys are merged into the stored ones, none is removed.
    pub fn custom_fields(&mut self, given: &Given<Value>, place: &mut JsonText) {
        const FIELD: &str = "custom_fields";
        let Some(value) = self.value(FIELD, given) else { return };
        let (Some(()), Some(new)) = (self.passed(no_nul(FIELD, value)), value.as_object()) else {
            if !value.is_object() {
                self.refuse(Problem::new(Code::Invalid, FIELD, "must be an object"));
            }
            return;
        };
        match place.0.as_object_mut() {
            Some(stored) => stored.extend(new.clone()),
            None => *place = JsonText(value.clone()),
        }
    }

    /// A JSON document that is replaced as a whole.
    pub fn json(&mut self, field: &'static str, given: &Given<Value>, place: &mut JsonText) {
        let Some(value) = self.value(field, given) else { return };
        if self.passed(no_nul(field, value)).is_some() {
            *place = JsonText(value.clone());
        }
    }
}

/// The bounds of a column of 32 bits.
pub const INT: std::ops::RangeInclusive<i64> = i32::MIN as i64..=i32::MAX as i64;
/// The same from 0.
pub const COUNT: std::ops::RangeInclusive<i64> = 0..=i32::MAX as i64;

/// NUL in a document, which the plugin's database cannot hold; keys count too.
fn no_nul(field: &'static str, value: &Value) -> std::result::Result<(), Problem> {
    fn holds(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(list) => list.iter().any(holds),
            Value::Object(object) => object.iter().any(|(key, value)| key.contains('\0') || holds(value)),
            _ => false,
        }
    }
    if holds(value) {
        return Err(Problem::new(Code::Invalid, field, "Null characters are not allowed."));
    }
    Ok(())
}
