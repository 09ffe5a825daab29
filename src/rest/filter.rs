//! From the query string to the one filter language.
use super::body::{number_of, whole_of};
use super::error::Result;
use super::field::{Spec, Type as FieldType};
use super::query::{COMMON, Query};
use crate::db::Db;
use crate::entity::{Kind, Mode, Scalar, address, parse_time};
use crate::error::{Code, Error, Problem};
use crate::filter::{Compare, Field, Filter, Lookup, Text, Type, View, field, search, test, with_ids};
use crate::service::read;
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

/// The suffixes of a type of field; the empty one is equality.
pub fn suffixes(ty: Type) -> &'static [&'static str] {
    match ty {
        Type::Id | Type::Int | Type::Float | Type::MemoryPercent => &["", "n", "lt", "lte", "gt", "gte", "empty"],
        Type::Text | Type::Mode => {
            &["", "n", "ic", "nic", "isw", "nisw", "iew", "niew", "ie", "nie", "regex", "iregex", "empty"]
        }
        Type::Address => &["", "n", "ic", "nic", "isw", "nisw", "iew", "niew", "ie", "nie", "regex", "iregex"],
        Type::Time => &["", "n", "lt", "lte", "gt", "gte"],
        Type::One(_) => &["", "n"],
        Type::Bool => &[""],
        Type::Origin | Type::ClusterNodes | Type::Tags => &[],
    }
}

/// A parameter that filters a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// As it stands in the query string.
    pub name: String,
    pub suffix: &'static str,
    pub about: About,
}

/// What a parameter is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum About {
    Field(&'static Field),
    /// A field of the object that a field refers to.
    Through(&'static Field, &'static Field),
    /// Tags, by slug or by id.
    Tag,
    TagId,
}

impl Parameter {
    /// The type of its values.
    pub fn ty(&self) -> Option<Type> {
        match self.about {
            About::Field(field) | About::Through(_, field) => Some(field.ty),
            About::Tag | About::TagId => None,
        }
    }
}

/// Every parameter that filters lists of this resource.
pub fn parameters(spec: &Spec) -> Vec<Parameter> {
    let mut found = Vec::new();
    let mut add = |name: &str, about: About, suffixes: &'static [&'static str]| {
        for suffix in suffixes {
            let name = if suffix.is_empty() { name.to_owned() } else { format!("{name}__{suffix}") };
            found.push(Parameter { name, suffix, about });
        }
    };
    for name in spec.filters {
        match (field(spec.kind, name), name.split_once("__")) {
            (Some(field), _) => {
                add(name, About::Field(field), suffixes(field.ty));
                if matches!(field.ty, Type::One(_)) {
                    add(&format!("{name}_id"), About::Field(field), suffixes(field.ty));
                }
            }
            (None, Some((front, rest))) => {
                let through = field(spec.kind, front);
                if let Some((through, Type::One(target))) = through.map(|field| (field, field.ty))
                    && let Some(inner) = field(target, rest)
                {
                    add(name, About::Through(through, inner), suffixes(inner.ty));
                }
            }
            (None, None) => {}
        }
    }
    if spec.has_tags() {
        add("tag", About::Tag, &["", "n"]);
        add("tag_id", About::TagId, &["", "n"]);
    }
    found
}

/// The filter of a query, and the names that mean nothing. All that is wrong is told at once.
pub async fn filter<'a>(db: &Db, spec: &Spec, query: &'a Query) -> Result<(Filter, Vec<&'a str>)> {
    let known = parameters(spec);
    let (mut all, mut unknown, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for name in query.names() {
        let values = query.all(name);
        let parsed = match known.iter().find(|parameter| parameter.name == name) {
            Some(parameter) => parameter.read(db, &values).await,
            None if name == "q" => search(values.last().copied().unwrap_or_default()),
            None if COMMON.contains(&name) => continue,
            None => {
                unknown.push(name);
                continue;
            }
        };
        match parsed {
            Ok(filter) => all.push(filter),
            Err(error) => match error.within(name) {
                Error::Input(found) => problems.extend(found),
                other => return Err(other.into()),
            },
        }
    }
    if !problems.is_empty() {
        return Err(Error::Input(problems).into());
    }
    let filter = Filter::All(all);
    filter.check_size()?;
    Ok((filter, unknown))
}

/// A parameter whose value is not one that it can have.
pub fn wrong(message: impl Into<String>) -> Error {
    Error::Input(vec![Problem { code: Code::Invalid, path: Vec::new(), message: message.into() }])
}

/// A value that is none of those that there are.
pub fn not_a_choice(value: &str) -> Error {
    wrong(format!("Select a valid choice. {value} is not one of the available choices."))
}

impl Parameter {
    async fn read(&self, db: &Db, values: &[&str]) -> Result<Filter, Error> {
        match self.about {
            About::Tag => self.tags(db, values).await,
            About::TagId => self.tag_ids(db, values).await,
            About::Field(field) => match field.ty {
                Type::One(target) => self.relation(db, field, target, values).await,
                // These two choose the representation, as everywhere.
                _ if self.name == "format" => {
                    let formats = values.iter().copied().filter(|value| !matches!(*value, "json" | "api"));
                    self.scalar(field, &formats.collect::<Vec<_>>())
                }
                _ => self.scalar(field, values),
            },
            About::Through(field, inner) => {
                // A negation is one of the whole question.
                let positive = Parameter { suffix: positive(self.suffix), ..self.clone() };
                let filter = positive.scalar(inner, values)?;
                if filter.is_everything() {
                    return Ok(filter);
                }
                let filter = test(field, Lookup::Is(Box::new(filter)))?;
                Ok(if positive.suffix == self.suffix { filter } else { filter.negated() })
            }
        }
    }

    /// One or several values of a field of its own.
    fn scalar(&self, field: &'static Field, values: &[&str]) -> Result<Filter, Error> {
        let given = values.iter().map(|value| value.trim()).filter(|value| !value.is_empty()).collect::<Vec<_>>();
        // The last one wins where one is wanted.
        let Some(last) = given.last().copied() else { return Ok(Filter::everything()) };
        let how = positive(self.suffix);
        if field.ty == Type::Bool {
            return test(field, Lookup::In(vec![Scalar::Bool(truth(last)?)]));
        }
        if how == "empty" {
            let filter = empty(field)?;
            return Ok(if truth(last)? { filter } else { filter.negated() });
        }
        let any = given.iter().map(|value| one(field, how, value)).collect::<Result<Vec<_>, _>>()?;
        let filter = Filter::Any(any);
        Ok(if how == self.suffix { filter } else { filter.negated() })
    }

    /// Objects that a field refers to, by id.
    async fn relation(&self, db: &Db, field: &'static Field, target: Kind, values: &[&str]) -> Result<Filter, Error> {
        const UNKNOWN: &str = "Select a valid choice. That choice is not one of the available choices.";
        let (mut ids, mut any) = (Vec::new(), Vec::new());
        for value in values.iter().map(|value| value.trim()).filter(|value| !value.is_empty()) {
            match whole_of(value).and_then(|id| i32::try_from(id).ok()) {
                Some(id) => ids.push(id),
                None if value == "null" && self.may_be_null(field) => any.push(test(field, Lookup::Null)?),
                None => return Err(wrong(UNKNOWN)),
            }
        }
        if !ids.is_empty() {
            let same = with_ids(target, &ids);
            ids.sort_unstable();
            ids.dedup();
            if read::ids(db, &View::everything(), target, &same, ids.len() as u64).await?.len() < ids.len() {
                return Err(wrong(UNKNOWN));
            }
            any.push(test(field, Lookup::Is(Box::new(same)))?);
        }
        if any.is_empty() {
            return Ok(Filter::everything());
        }
        let filter = Filter::Any(any);
        Ok(if self.suffix == "n" { filter.negated() } else { filter })
    }

    fn may_be_null(&self, field: &Field) -> bool {
        !matches!(field.name, "endpoint" | "cluster")
    }

    /// Objects that carry all of these tags, or none of them.
    async fn tags(&self, db: &Db, values: &[&str]) -> Result<Filter, Error> {
        let wanted = values.iter().filter(|value| **value != "null");
        let slugs = wanted.map(|value| (*value).to_owned()).collect::<Vec<_>>();
        let known = read::seen_tags(db, &View::everything(), &slugs).await?;
        if let Some(unknown) = slugs.iter().find(|slug| !known.contains(*slug)) {
            return Err(not_a_choice(unknown));
        }
        let any_null = values.contains(&"null");
        self.tagged(slugs, any_null)
    }

    async fn tag_ids(&self, db: &Db, values: &[&str]) -> Result<Filter, Error> {
        let mut ids = Vec::new();
        for value in values.iter().filter(|value| **value != "null") {
            let id = whole_of(value).ok_or_else(|| wrong(format!("“{value}” is not a valid value.")))?;
            ids.push(i32::try_from(id).map_err(|_| not_a_choice(value))?);
        }
        let tags = read::by_ids::<crate::entity::tag::Entity>(db, &View::everything(), &ids).await?;
        let slugs =
            ids.iter().map(|id| tags.get(id).map(|tag| tag.slug.clone()).ok_or_else(|| not_a_choice(&id.to_string())));
        self.tagged(slugs.collect::<Result<_, _>>()?, values.contains(&"null"))
    }

    fn tagged(&self, slugs: Vec<String>, null: bool) -> Result<Filter, Error> {
        let Some(field) = tags_field() else { return Ok(Filter::everything()) };
        let mut tests = Vec::new();
        for slug in slugs {
            tests.push(test(field, Lookup::TaggedAny(vec![slug]))?);
        }
        if null {
            tests.push(test(field, Lookup::Tagged)?.negated());
        }
        if self.suffix == "n" {
            tests = tests.into_iter().map(Filter::negated).collect();
        }
        Ok(Filter::All(tests))
    }
}

fn tags_field() -> Option<&'static Field> {
    // Every kind that carries tags has the same field of them.
    field(Kind::Cluster, "tags")
}

/// The suffix without its negation.
fn positive(suffix: &'static str) -> &'static str {
    match suffix {
        "n" => "",
        "nic" => "ic",
        "nisw" => "isw",
        "niew" => "iew",
        "nie" => "ie",
        other => other,
    }
}

/// NULL or the empty text.
fn empty(field: &'static Field) -> Result<Filter, Error> {
    let null = test(field, Lookup::Null)?;
    match field.ty {
        Type::Text => Ok(Filter::Any(vec![null, test(field, Lookup::Empty)?])),
        _ => Ok(null),
    }
}

/// One value of a field, looked at in one way.
fn one(field: &'static Field, how: &str, value: &str) -> Result<Filter, Error> {
    match field.ty {
        Type::Mode => return mode(field, how, value),
        Type::Id | Type::Int => return number(field, how, value),
        Type::Time => return moment(field, how, value),
        Type::Text | Type::Address if how.is_empty() && value == "null" => return test(field, Lookup::Null),
        _ => {}
    }
    let text = |fold| Text { value: value.to_owned(), fold };
    let lookup = match how {
        "ic" => Lookup::Contains(text(true)),
        "isw" => Lookup::StartsWith(text(true)),
        "iew" => Lookup::EndsWith(text(true)),
        "ie" => Lookup::InFolded(vec![value.to_owned()]),
        "regex" => Lookup::Regex(text(false)),
        "iregex" => Lookup::Regex(text(true)),
        _ if field.ty == Type::Address && address::canonical(value).is_none() => {
            return Err(wrong("Enter a valid IPv4 or IPv6 address."));
        }
        _ => Lookup::In(vec![Scalar::Text(value.to_owned())]),
    };
    test(field, lookup)
}

/// A mode is one of a few texts: which ones fit is known without asking the database.
fn mode(field: &'static Field, how: &str, value: &str) -> Result<Filter, Error> {
    if how.is_empty() {
        return match (value, Mode::parse(value)) {
            ("null", _) => test(field, Lookup::Null),
            (_, Some(_)) => test(field, Lookup::In(vec![Scalar::Text(value.to_owned())])),
            (_, None) => Err(not_a_choice(value)),
        };
    }
    let folded = value.to_lowercase();
    let pattern = match how {
        "regex" => Some(value.to_owned()),
        "iregex" => Some(format!("(?i){value}")),
        _ => None,
    };
    let pattern = pattern.map(|pattern| regex::Regex::new(&pattern)).transpose();
    let pattern = pattern.map_err(|error| wrong(format!("not a regular expression: {error}")))?;
    let fits = |mode: &str| match (&pattern, how) {
        (Some(pattern), _) => pattern.is_match(mode),
        (None, "ic") => mode.contains(&folded),
        (None, "isw") => mode.starts_with(&folded),
        (None, "iew") => mode.ends_with(&folded),
        (None, _) => mode == folded,
    };
    let fitting = Mode::ALL.into_iter().map(|(_, value, _)| value).filter(|mode| fits(mode));
    test(field, Lookup::In(fitting.map(|mode| Scalar::Text(mode.to_owned())).collect()))
}

fn number(field: &'static Field, how: &str, value: &str) -> Result<Filter, Error> {
    let wide = number_of(value).ok_or_else(|| wrong("Enter a whole number."))?;
    let end = if wide > 0 { i64::MAX } else { i64::MIN };
    test(field, compared(how, Scalar::Int(i64::try_from(wide).unwrap_or(end))))
}

fn moment(field: &'static Field, how: &str, value: &str) -> Result<Filter, Error> {
    let time = time(value).ok_or_else(|| wrong("Enter a valid date/time."))?;
    test(field, compared(how, Scalar::Time(time)))
}

fn compared(how: &str, value: Scalar) -> Lookup {
    match how {
        "lt" => Lookup::Compare(Compare::Lt, value),
        "lte" => Lookup::Compare(Compare::Lte, value),
        "gt" => Lookup::Compare(Compare::Gt, value),
        "gte" => Lookup::Compare(Compare::Gte, value),
        _ => Lookup::In(vec![value]),
    }
}

/// A time as Django's forms take it: ISO 8601, with or without seconds and zone (UTC then), or a date.
fn time(text: &str) -> Option<DateTime<Utc>> {
    if let Some(time) = parse_time(text) {
        return Some(time);
    }
    // A plus sign that was not encoded arrives as a blank.
    let text = text.replace('T', " ");
    let (front, zone) = match text.rfind(['+', '-', ' ']).filter(|at| *at > 10) {
        Some(at) if text[at..].contains(':') => (&text[..at], text[at..].replace(' ', "+")),
        _ => (text.trim_end_matches('Z'), "+00:00".to_owned()),
    };
    let date = || NaiveDate::parse_from_str(front, "%Y-%m-%d").ok().and_then(|date| date.and_hms_opt(0, 0, 0));
    let naive = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(front, format).ok())
        .or_else(date)?;
    parse_time(&format!("{}{zone}", naive.format("%Y-%m-%dT%H:%M:%S%.f")))
}

/// The booleans of a query, in any case.
pub fn truth(text: &str) -> Result<bool, Error> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(wrong("Must be a valid boolean.")),
    }
}

/// The type of a parameter's values for the document: that of the field it is about.
pub fn value_type(parameter: &Parameter) -> FieldType {
    match parameter.ty() {
        _ if parameter.suffix == "empty" => FieldType::Bool,
        Some(Type::Id | Type::Int | Type::One(_)) => FieldType::Id,
        Some(Type::Bool) => FieldType::Bool,
        Some(Type::Time) => FieldType::Time,
        Some(Type::Mode) if matches!(parameter.suffix, "" | "n") => FieldType::Mode,
        None if parameter.about == About::TagId => FieldType::Id,
        _ => FieldType::Text,
    }
}
