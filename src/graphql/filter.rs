//! Filter inputs: fields are ANDed, and an explicit null operand is an error instead of a silent "everything".
use super::error::camel;
use super::scalar::{BigInt, Time, local_id};
use crate::entity::{Kind, Mode, Origin, Scalar};
use crate::error::{Error, Result};
use crate::filter::{self, Compare, Field, Filter, Lookup, Text, field};
use async_graphql::{Enum, ID, InputObject, MaybeUndefined, MaybeUndefined::*};

/// An input that is a filter of one kind.
pub trait FilterInput: Send {
    /// The filter that it stands for; errors carry the path below the input.
    fn into_filter(self) -> Result<Filter>;
}

/// For lists that are not filtered.
#[derive(Debug)]
pub enum NoFilter {}

impl FilterInput for NoFilter {
    fn into_filter(self) -> Result<Filter> {
        match self {}
    }
}

/// An input that asks something of one field.
pub trait Operand {
    /// What it asks of this field.
    fn on(self, field: &'static Field) -> Result<Filter>;
}

/// Asks an operand of the field with this REST name.
pub fn on<T: Operand>(kind: Kind, name: &'static str, operand: T) -> Result<Filter> {
    let field = field(kind, name).ok_or_else(|| Error::Internal(format!("a {kind} has no field {name}")))?;
    operand.on(field)
}

/// The value of an input field: absent asks nothing, null is refused.
pub fn given<T>(name: &str, value: MaybeUndefined<T>) -> Result<Option<T>> {
    match value {
        Undefined => Ok(None),
        Value(value) => Ok(Some(value)),
        Null => Err(Error::input("must not be null; leave it out, or ask with isNull").within(camel(name))),
    }
}

/// Collects what the parts of an input ask; each error gets the part's name.
#[derive(Debug, Default)]
pub struct Parts(Vec<Filter>);

impl Parts {
    /// Adds what one part asks, if it is there.
    pub fn add<T>(
        &mut self,
        name: &str,
        value: MaybeUndefined<T>,
        ask: impl FnOnce(T) -> Result<Filter>,
    ) -> Result<()> {
        if let Some(value) = given(name, value)? {
            self.0.push(ask(value).map_err(|error| error.within(camel(name)))?);
        }
        Ok(())
    }

    /// Adds what is asked anyway.
    pub fn push(&mut self, filter: Filter) {
        self.0.push(filter);
    }

    /// All of them.
    pub fn all(mut self) -> Filter {
        if self.0.len() == 1 { self.0.remove(0) } else { Filter::All(self.0) }
    }
}

/// The filters of a list; each error gets its place.
pub fn each<T: FilterInput>(list: Vec<T>) -> Result<Vec<Filter>> {
    let parts = list.into_iter().enumerate();
    parts.map(|(i, part)| part.into_filter().map_err(|error| error.within(i.to_string()))).collect()
}

/// Whether a field has no value, or its negation.
pub fn is_null(field: &'static Field, wanted: bool) -> Result<Filter> {
    let null = filter::test(field, Lookup::Null)?;
    Ok(if wanted { null } else { null.negated() })
}

/// The comparisons that every ordered type has, for inputs whose fields are called the same.
macro_rules! comparisons {
    ($parts:ident, $input:ident, $field:ident, $scalar:expr, $( $name:ident = $how:ident ),*) => {
        $( $parts.add(stringify!($name), $input.$name, |value| {
            filter::test($field, Lookup::Compare(Compare::$how, $scalar(value)))
        })?; )*
    };
}

/// The equalities that every type has.
macro_rules! equalities {
    ($parts:ident, $input:ident, $field:ident, $scalar:expr) => {
        $parts.add("eq", $input.eq, |value| filter::test($field, Lookup::In(vec![$scalar(value)])))?;
        $parts.add("ne", $input.ne, |value| Ok(filter::test($field, Lookup::In(vec![$scalar(value)]))?.negated()))?;
    };
    ($parts:ident, $input:ident, $field:ident, $scalar:expr, lists) => {
        equalities!($parts, $input, $field, $scalar);
        let all = |list: Vec<_>| filter::test($field, Lookup::In(list.into_iter().map($scalar).collect()));
        $parts.add("in", $input.r#in, all)?;
        $parts.add("not_in", $input.not_in, |list| Ok(all(list)?.negated()))?;
    };
}

/// Asks of a text. All parts must hold. Comparisons are by bytes, unless `ignoreCase`.
#[derive(Clone, Debug, InputObject)]
pub struct StringFilter {
    /// Is exactly this.
    eq: MaybeUndefined<String>,
    /// Is not this; rows without a value count.
    ne: MaybeUndefined<String>,
    /// Is one of these; an empty list matches nothing.
    r#in: MaybeUndefined<Vec<String>>,
    /// Is none of these; rows without a value count.
    not_in: MaybeUndefined<Vec<String>>,
    /// Holds this somewhere. `%`, `_` and `\` mean themselves.
    contains: MaybeUndefined<String>,
    /// Begins with this.
    starts_with: MaybeUndefined<String>,
    /// Ends with this.
    ends_with: MaybeUndefined<String>,
    /// Sorts behind this.
    gt: MaybeUndefined<String>,
    /// Sorts behind this, or is it.
    gte: MaybeUndefined<String>,
    /// Sorts before this.
    lt: MaybeUndefined<String>,
    /// Sorts before this, or is it.
    lte: MaybeUndefined<String>,
    /// Compare without case (applies to every operator here). Unicode letters fold one by one, so `ß` is not `ss`.
    #[graphql(default_with = "Some(false)")]
    ignore_case: Option<bool>,
    /// Whether there is no value. A text may also be there and empty.
    is_null: MaybeUndefined<bool>,
    /// Whether the text is there and empty (`""`).
    is_empty: MaybeUndefined<bool>,
}

impl Operand for StringFilter {
    fn on(self, field: &'static Field) -> Result<Filter> {
        let fold = self.ignore_case.unwrap_or(false);
        let ask = |lookup| filter::test(field, lookup);
        let one_of = |values: Vec<String>| {
            ask(if fold {
                Lookup::InFolded(values)
            } else {
                Lookup::In(values.into_iter().map(Scalar::Text).collect())
            })
        };
        let compare = |how, value: String| {
            ask(if fold { Lookup::CompareFolded(how, value) } else { Lookup::Compare(how, Scalar::Text(value)) })
        };
        let text = |value| Text { value, fold };
        let mut parts = Parts::default();
        parts.add("eq", self.eq, |value| one_of(vec![value]))?;
        parts.add("ne", self.ne, |value| Ok(one_of(vec![value])?.negated()))?;
        parts.add("in", self.r#in, one_of)?;
        parts.add("not_in", self.not_in, |values| Ok(one_of(values)?.negated()))?;
        parts.add("contains", self.contains, |value| ask(Lookup::Contains(text(value))))?;
        parts.add("starts_with", self.starts_with, |value| ask(Lookup::StartsWith(text(value))))?;
        parts.add("ends_with", self.ends_with, |value| ask(Lookup::EndsWith(text(value))))?;
        parts.add("gt", self.gt, |value| compare(Compare::Gt, value))?;
        parts.add("gte", self.gte, |value| compare(Compare::Gte, value))?;
        parts.add("lt", self.lt, |value| compare(Compare::Lt, value))?;
        parts.add("lte", self.lte, |value| compare(Compare::Lte, value))?;
        parts.add("is_null", self.is_null, |wanted| is_null(field, wanted))?;
        parts.add("is_empty", self.is_empty, |wanted| {
            let empty = ask(Lookup::Empty)?;
            Ok(if wanted { empty } else { empty.negated() })
        })?;
        Ok(parts.all())
    }
}

/// Asks of an id. Both forms are taken: the global id and REST's integer.
#[derive(Clone, Debug, InputObject)]
#[graphql(name = "IDFilter")]
pub struct IdFilter {
    /// Is this one.
    eq: MaybeUndefined<ID>,
    /// Is not this one.
    ne: MaybeUndefined<ID>,
    /// Is one of these; an empty list matches nothing.
    r#in: MaybeUndefined<Vec<ID>>,
    /// Is none of these.
    not_in: MaybeUndefined<Vec<ID>>,
}

impl IdFilter {
    /// The filter on the ids of this kind.
    pub fn of(self, kind: Kind) -> Result<Filter> {
        let one_of = |ids: Vec<ID>| {
            let number = |id: ID| local_id(&id, kind).map(|id| Scalar::Int(id.into()));
            let ids = ids.into_iter().map(number).collect::<Result<_>>()?;
            let field = field(kind, "id").ok_or_else(|| Error::Internal("no id".into()))?;
            filter::test(field, Lookup::In(ids))
        };
        let mut parts = Parts::default();
        parts.add("eq", self.eq, |id| one_of(vec![id]))?;
        parts.add("ne", self.ne, |id| Ok(one_of(vec![id])?.negated()))?;
        parts.add("in", self.r#in, one_of)?;
        parts.add("not_in", self.not_in, |ids| Ok(one_of(ids)?.negated()))?;
        Ok(parts.all())
    }
}

/// Asks of a whole number of 32 bits. All parts must hold; rows without a value count for `ne` and `notIn` only.
#[derive(Clone, Debug, InputObject)]
pub struct IntFilter {
    /// Is this.
    eq: MaybeUndefined<i32>,
    /// Is not this.
    ne: MaybeUndefined<i32>,
    /// Is one of these; an empty list matches nothing.
    r#in: MaybeUndefined<Vec<i32>>,
    /// Is none of these.
    not_in: MaybeUndefined<Vec<i32>>,
    /// Is larger.
    gt: MaybeUndefined<i32>,
    /// Is larger or this.
    gte: MaybeUndefined<i32>,
    /// Is smaller.
    lt: MaybeUndefined<i32>,
    /// Is smaller or this.
    lte: MaybeUndefined<i32>,
    /// Whether there is no value.
    is_null: MaybeUndefined<bool>,
}

impl Operand for IntFilter {
    fn on(self, field: &'static Field) -> Result<Filter> {
        let scalar = |value: i32| Scalar::Int(value.into());
        let mut parts = Parts::default();
        equalities!(parts, self, field, scalar, lists);
        comparisons!(parts, self, field, scalar, gt = Gt, gte = Gte, lt = Lt, lte = Lte);
        parts.add("is_null", self.is_null, |wanted| is_null(field, wanted))?;
        Ok(parts.all())
    }
}

/// Asks of a whole number of 64 bits. All parts must hold; rows without a value count for `ne` and `notIn` only.
#[derive(Clone, Debug, InputObject)]
pub struct BigIntFilter {
    /// Is this.
    eq: MaybeUndefined<BigInt>,
    /// Is not this.
    ne: MaybeUndefined<BigInt>,
    /// Is one of these; an empty list matches nothing.
    r#in: MaybeUndefined<Vec<BigInt>>,
    /// Is none of these.
    not_in: MaybeUndefined<Vec<BigInt>>,
    /// Is larger.
    gt: MaybeUndefined<BigInt>,
    /// Is larger or this.
    gte: MaybeUndefined<BigInt>,
    /// Is smaller.
    lt: MaybeUndefined<BigInt>,
    /// Is smaller or this.
    lte: MaybeUndefined<BigInt>,
    /// Whether there is no value.
    is_null: MaybeUndefined<bool>,
}

impl Operand for BigIntFilter {
    fn on(self, field: &'static Field) -> Result<Filter> {
        let scalar = |value: BigInt| Scalar::Int(value.0);
        let mut parts = Parts::default();
        equalities!(parts, self, field, scalar, lists);
        comparisons!(parts, self, field, scalar, gt = Gt, gte = Gte, lt = Lt, lte = Lte);
        parts.add("is_null", self.is_null, |wanted| is_null(field, wanted))?;
        Ok(parts.all())
    }
}

/// Asks of a number with a fraction. All parts must hold; rows without a value count for `ne` only.
#[derive(Clone, Debug, InputObject)]
pub struct FloatFilter {
    /// Is exactly this.
    eq: MaybeUndefined<f64>,
    /// Is not exactly this.
    ne: MaybeUndefined<f64>,
    /// Is larger.
    gt: MaybeUndefined<f64>,
    /// Is larger or this.
    gte: MaybeUndefined<f64>,
    /// Is smaller.
    lt: MaybeUndefined<f64>,
    /// Is smaller or this.
    lte: MaybeUndefined<f64>,
    /// Whether there is no value.
    is_null: MaybeUndefined<bool>,
}

impl Operand for FloatFilter {
    fn on(self, field: &'static Field) -> Result<Filter> {
        let mut parts = Parts::default();
        equalities!(parts, self, field, Scalar::Float);
        comparisons!(parts, self, field, Scalar::Float, gt = Gt, gte = Gte, lt = Lt, lte = Lte);
        parts.add("is_null", self.is_null, |wanted| is_null(field, wanted))?;
        Ok(parts.all())
    }
}

/// Asks of a yes or no.
#[derive(Clone, Debug, InputObject)]
pub struct BooleanFilter {
    /// Is this.
    eq: MaybeUndefined<bool>,
    /// Is not this.
    ne: MaybeUndefined<bool>,
    /// Whether there is no value.
    is_null: MaybeUndefined<bool>,
}

impl Operand for BooleanFilter {
    fn on(self, field: &'static Field) -> Result<Filter> {
        let mut parts = Parts::default();
        equalities!(parts, self, field, Scalar::Bool);
        parts.add("is_null", self.is_null, |wanted| is_null(field, wanted))?;
        Ok(parts.all())
    }
}

/// Asks of a point in time. All parts must hold.
#[derive(Clone, Debug, InputObject)]
pub struct DateTimeFilter {
    /// Is exactly this.
    eq: MaybeUndefined<Time>,
    /// Is not exactly this.
    ne: MaybeUndefined<Time>,
    /// Is later.
    gt: MaybeUndefined<Time>,
    /// Is later or this.
    gte: MaybeUndefined<Time>,
    /// Is earlier.
    lt: MaybeUndefined<Time>,
    /// Is earlier or this.
    lte: MaybeUndefined<Time>,
    /// Whether there is no value.
    is_null: MaybeUndefined<bool>,
}

impl Operand for DateTimeFilter {
    fn on(self, field: &'static Field) -> Result<Filter> {
        let scalar = |value: Time| Scalar::Time(value.0);
        let mut parts = Parts::default();
        equalities!(parts, self, field, scalar);
        comparisons!(parts, self, field, scalar, gt = Gt, gte = Gte, lt = Lt, lte = Lte);
        parts.add("is_null", self.is_null, |wanted| is_null(field, wanted))?;
        Ok(parts.all())
    }
}

/// How a Proxmox VE installation is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Mode")]
pub enum ProxmoxMode {
    /// Not known yet: nothing was synced.
    Undefined,
    /// A single host without a cluster.
    Standalone,
    /// A member of a cluster.
    Cluster,
}

/// Asks of a deployment mode.
#[derive(Clone, Debug, InputObject)]
pub struct ProxmoxModeFilter {
    /// Is this.
    eq: MaybeUndefined<ProxmoxMode>,
    /// Is not this.
    ne: MaybeUndefined<ProxmoxMode>,
    /// Is one of these; an empty list matches nothing.
    r#in: MaybeUndefined<Vec<ProxmoxMode>>,
    /// Is none of these.
    not_in: MaybeUndefined<Vec<ProxmoxMode>>,
}

impl Operand for ProxmoxModeFilter {
    fn on(self, field: &'static Field) -> Result<Filter> {
        let scalar = |mode: ProxmoxMode| Scalar::Text(Mode::from(mode).value().to_owned());
        let mut parts = Parts::default();
        equalities!(parts, self, field, scalar, lists);
        Ok(parts.all())
    }
}

/// Where a reference to a NetBox object comes from: mirrored from NetBox, kept here by hand, or made for a Proxmox
/// cluster that has no link yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Origin")]
pub enum ReferenceOrigin {
    /// Mirrored from NetBox.
    Netbox,
    /// Kept here by hand.
    Manual,
    /// Made for a Proxmox cluster that has no link to NetBox yet; its id is not NetBox's.
    Local,
}

impl Operand for ReferenceOrigin {
    fn on(self, field: &'static Field) -> Result<Filter> {
        filter::test(field, Lookup::In(vec![Scalar::Text(Origin::from(self).value().to_owned())]))
    }
}

/// Asks of an object's tags, by slug. All parts must hold.
#[derive(Clone, Debug, InputObject)]
pub struct TagsFilter {
    /// Carries all of these; an empty list matches everything.
    all: MaybeUndefined<Vec<String>>,
    /// Carries one of these at least; an empty list matches nothing.
    any: MaybeUndefined<Vec<String>>,
    /// Carries none of these.
    none: MaybeUndefined<Vec<String>>,
    /// Whether it carries no tag at all.
    is_empty: MaybeUndefined<bool>,
}

impl Operand for TagsFilter {
    fn on(self, field: &'static Field) -> Result<Filter> {
        let any = |slugs: Vec<String>| filter::test(field, Lookup::TaggedAny(slugs));
        let mut parts = Parts::default();
        parts.add("all", self.all, |slugs| {
            Ok(Filter::All(slugs.into_iter().map(|slug| any(vec![slug])).collect::<Result<_>>()?))
        })?;
        parts.add("any", self.any, any)?;
        parts.add("none", self.none, |slugs| Ok(any(slugs)?.negated()))?;
        parts.add("is_empty", self.is_empty, |wanted| {
            let tagged = filter::test(field, Lookup::Tagged)?;
            Ok(if wanted { tagged.negated() } else { tagged })
        })?;
        Ok(parts.all())
    }
}

/// A filter on the object that a field refers to.
impl<T: FilterInput> Operand for T {
    fn on(self, field: &'static Field) -> Result<Filter> {
        filter::test(field, Lookup::Is(Box::new(self.into_filter()?)))
    }
}

/// The filter input of a nullable relation: `is` matches the target, `isNull` its absence.
macro_rules! reference_filter {
    ($(#[$attribute:meta])* $input:ident, $target:ident) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, async_graphql::InputObject)]
        pub struct $input {
            /// There is one, and this holds for it.
            is: async_graphql::MaybeUndefined<Box<$target>>,
            /// Whether there is none that you may view.
            is_null: async_graphql::MaybeUndefined<bool>,
        }

        impl $crate::graphql::filter::Operand for $input {
            fn on(self, field: &'static $crate::filter::Field) -> $crate::error::Result<$crate::filter::Filter> {
                let mut parts = $crate::graphql::filter::Parts::default();
                parts.add("is", self.is, |target| $crate::graphql::filter::Operand::on(*target, field))?;
                parts.add("is_null", self.is_null, |wanted| $crate::graphql::filter::is_null(field, wanted))?;
                Ok(parts.all())
            }
        }
    };
}

/// A filter input of a kind: `and`, `or`, `not`, and its fields with how each one asks.
macro_rules! filter_input {
    (
        $(#[$attribute:meta])*
        $input:ident, $kind:expr,
        { $( $(#[$field_attribute:meta])* $field:ident: $ty:ty => $ask:expr, )* }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, async_graphql::InputObject)]
        pub struct $input {
            /// All of these hold; an empty list matches everything.
            and: async_graphql::MaybeUndefined<Vec<$input>>,
            /// One of these holds at least; an empty list matches nothing.
            or: async_graphql::MaybeUndefined<Vec<$input>>,
            /// This does not hold. A comparison with a missing value does not hold, so its negation does.
            not: async_graphql::MaybeUndefined<Box<$input>>,
            $( $(#[$field_attribute])* $field: async_graphql::MaybeUndefined<$ty>, )*
        }

        impl $crate::graphql::filter::FilterInput for $input {
            fn into_filter(self) -> $crate::error::Result<$crate::filter::Filter> {
                use $crate::graphql::filter::{Parts, each};
                let mut parts = Parts::default();
                parts.add("and", self.and, |list| Ok($crate::filter::Filter::All(each(list)?)))?;
                parts.add("or", self.or, |list| Ok($crate::filter::Filter::Any(each(list)?)))?;
                parts.add("not", self.not, |part| Ok(part.into_filter()?.negated()))?;
                $( parts.add(stringify!($field), self.$field, |value| {
                    let ask: fn($ty) -> $crate::error::Result<$crate::filter::Filter> = $ask;
                    ask(value)
                })?; )*
                Ok(parts.all())
            }
        }
    };
}

pub(crate) use {filter_input, reference_filter};
