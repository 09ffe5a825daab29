//! A value against its type.

use std::fmt::{self, Display, Write};

use async_graphql::indexmap::IndexMap;
use async_graphql_parser::Pos;
use async_graphql_parser::types::{BaseType, Type};
use async_graphql_value::{ConstValue, Name};

use super::given::{Given, View};
use super::scalar;
use super::scope::{Scope, fits};
use super::shape::{Input, InputObject, InputShape, InputType};
use super::wrong::{Fault, Wrong, short};

/// So many values of an enum are named in an error.
const NAMED_VALUES: usize = 12;

/// What has the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// An argument of a field or directive.
    Argument,
    /// The default of a variable.
    Default,
    /// A variable; its value is JSON, where enum values are strings.
    Variable,
}

/// The check of one value, and of what is in it.
pub(super) struct Coercion<'a, 'w> {
    shape: &'a InputShape,
    /// The variables that may be used in it; none if they are not known.
    scope: Option<&'a Scope<'a>>,
    subject: Subject,
    pos: Pos,
    path: Path<'a>,
    wrong: &'w mut Wrong,
}

impl<'a, 'w> Coercion<'a, 'w> {
    /// Begins the check of what has this name and place.
    pub(super) fn new(
        shape: &'a InputShape,
        scope: Option<&'a Scope<'a>>,
        subject: Subject,
        (name, pos): (&'a str, Pos),
        wrong: &'w mut Wrong,
    ) -> Self {
        Self { shape, scope, subject, pos, path: Path { name, segments: Vec::new() }, wrong }
    }

    /// Checks a value whose place may have a default. The recursion is as deep as the value and the type nest, which
    /// the parsers bound.
    pub(super) fn input<V: Given>(&mut self, place: &Input, value: &'a V) {
        match value.view() {
            View::Variable(name) => self.variable(&place.ty, place.has_default, name),
            _ => self.value(&place.ty, value),
        }
    }

    /// Checks a value, unless enough is wrong already.
    pub(super) fn value<V: Given>(&mut self, ty: &Type, value: &'a V) {
        if self.wrong.is_full() {
            return;
        }
        match (&ty.base, value.view()) {
            (_, View::Variable(name)) => self.variable(ty, false, name),
            (_, View::Null) if ty.nullable => {}
            (_, View::Null) => self.expected(ty, "a value", "null"),
            (BaseType::List(item), View::List(values)) => {
                for (index, value) in values.iter().enumerate() {
                    self.inside(Segment::Index(index), |inside| inside.value(item, value));
                }
            }
            // A single value stands for a list of one.
            (BaseType::List(item), _) => self.value(item, value),
            (BaseType::Named(name), view) => self.named(ty, name, &view),
        }
    }

    /// What must be there is not.
    pub(super) fn missing(&mut self, ty: &Type) {
        self.expected(ty, "a value", "none");
    }

    fn named<V: Given>(&mut self, ty: &Type, name: &str, view: &View<'a, V>) {
        match (self.shape.input(name), view) {
            (Some(InputType::Scalar), view) => self.scalar(ty, name, view),
            (Some(InputType::Enum(values)), view) => self.enumeration(ty, values, view),
            (Some(InputType::Object(object)), View::Object(fields)) => self.object(ty, object, fields),
            (Some(InputType::Object(_)), view) => self.expected(ty, "an object", &view.describe()),
            // A variable of an unknown type, which is an error of its own.
            (None, _) => {}
        }
    }

    fn scalar<V>(&mut self, ty: &Type, name: &str, view: &View<'a, V>) {
        let Some(expected) = scalar::expected(name) else { return };
        if !matches!(view, View::Leaf(leaf) if scalar::takes(name, leaf)) {
            self.expected(ty, expected, &view.describe());
        }
    }

    fn enumeration<V>(&mut self, ty: &Type, values: &[String], view: &View<'a, V>) {
        let is_json = self.subject == Subject::Variable;
        let given = match view {
            View::Leaf(leaf) => match &**leaf {
                ConstValue::String(name) if is_json => Some(name.as_str()),
                ConstValue::Enum(name) if !is_json => Some(name.as_str()),
                _ => None,
            },
            _ => None,
        };
        if given.is_some_and(|given| values.iter().any(|value| value == given)) {
            return;
        }
        let mut expected = match values.get(..NAMED_VALUES) {
            Some(first) => format!("one of {}, …", first.join(", ")),
            None => format!("one of {}", values.join(", ")),
        };
        if !is_json && view.describe() == "a string" {
            expected += " without quotes";
        }
        self.expected(ty, &expected, &view.describe());
    }

    fn object<V: Given>(&mut self, ty: &Type, object: &'a InputObject, given: &'a IndexMap<Name, V>) {
        if object.one_of && given.len() != 1 {
            self.report(ty, || format!("expected exactly one field, got {}", given.len()));
        }
        for (name, value) in given {
            let Some((name, place)) = object.fields.get_key_value(name.as_str()) else {
                self.report(ty, || format!("there is no field \"{}\" in it", short(name)));
                continue;
            };
            self.inside(Segment::Field(name), |inside| match object.one_of {
                false => inside.input(place, value),
                true => inside.value(&Type { base: place.ty.base.clone(), nullable: false }, value),
            });
        }
        for (name, place) in object.required().filter(|(name, _)| !given.contains_key(*name)) {
            self.inside(Segment::Field(name), |inside| inside.missing(&place.ty));
        }
    }

    fn variable(&mut self, ty: &Type, has_default: bool, name: &str) {
        let Some(scope) = self.scope else { return };
        match scope.get(name) {
            None => self.report(ty, || format!("the variable \"${}\" is not defined", short(name))),
            Some(definition) if !fits(definition, ty, has_default) => {
                let given = definition.var_type.to_string();
                self.report(ty, || {
                    format!("the variable \"${}\" of type \"{}\" does not fit", short(name), short(&given))
                });
            }
            Some(definition) if definition.var_type.node.nullable && !ty.nullable && scope.is_null(name) => {
                let problem = || format!("expected a value, got null in the variable \"${}\"", short(name));
                self.report_as(Fault::Variables, ty, problem);
            }
            Some(_) => {}
        }
    }

    fn inside(&mut self, segment: Segment<'a>, check: impl FnOnce(&mut Self)) {
        self.path.segments.push(segment);
        check(self);
        self.path.segments.pop();
    }

    fn expected(&mut self, ty: &Type, expected: &str, got: &str) {
        self.report(ty, || format!("expected {expected}, got {got}"));
    }

    fn report(&mut self, ty: &Type, problem: impl FnOnce() -> String) {
        let fault = if self.subject == Subject::Variable { Fault::Variables } else { Fault::Document };
        self.report_as(fault, ty, problem);
    }

    fn report_as(&mut self, fault: Fault, ty: &Type, problem: impl FnOnce() -> String) {
        let Self { subject, path, pos, wrong, .. } = self;
        let message = || {
            let (subject, problem_of) = match subject {
                Subject::Argument => ("Argument \"", ""),
                Subject::Default => ("Variable \"$", " has a wrong default"),
                Subject::Variable => ("Variable \"$", " has a wrong value"),
            };
            format!("{subject}{path}\" of type \"{}\"{problem_of}: {}.", short(&ty.to_string()), problem())
        };
        wrong.add(fault, *pos, message);
    }
}

/// The way from an argument or variable to a value in it.
struct Path<'a> {
    name: &'a str,
    segments: Vec<Segment<'a>>,
}

enum Segment<'a> {
    Field(&'a str),
    Index(usize),
}

impl Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&short(self.name))?;
        for segment in &self.segments {
            match segment {
                Segment::Field(name) => {
                    f.write_char('.')?;
                    f.write_str(name)?;
                }
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
