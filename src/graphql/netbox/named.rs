//! What NetBox's clusters and devices name: sites, roles, tenants …
use crate::entity::{Kind, Named};
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::graphql::filter::{IntFilter, Parts, StringFilter, is_null, on};
use async_graphql::{InputObject, MaybeUndefined, SimpleObject};

/// Another object of NetBox's, as far as a cluster or device names it: a site, a role, a tenant, a rack …
#[derive(Clone, Debug, SimpleObject)]
pub struct NetBoxNamed {
    /// Its id in NetBox, among objects of its type.
    database_id: i32,
    /// Its name in NetBox.
    name: String,
    /// Its name in NetBox's URLs and filters; null for racks, which have none.
    slug: Option<String>,
}

impl From<Named> for NetBoxNamed {
    fn from(Named { id, name, slug }: Named) -> Self {
        Self { database_id: id, name, slug }
    }
}

/// Asks of another object of NetBox's that a cluster or device names. All parts must hold.
#[derive(Clone, Debug, InputObject)]
pub struct NetBoxNamedFilter {
    /// Its id in NetBox.
    database_id: MaybeUndefined<IntFilter>,
    /// Its name.
    name: MaybeUndefined<StringFilter>,
    /// Its slug; racks have none.
    slug: MaybeUndefined<StringFilter>,
    /// Whether none is named.
    is_null: MaybeUndefined<bool>,
}

/// The fields of the filter language that hold id, name and slug.
pub(super) type NamedFields = (&'static str, &'static str, Option<&'static str>);

impl NetBoxNamedFilter {
    /// The filter on these fields.
    pub(super) fn of(self, kind: Kind, (id, name, slug): NamedFields) -> Result<Filter> {
        let mut parts = Parts::default();
        parts.add("database_id", self.database_id, |filter| on(kind, id, filter))?;
        parts.add("name", self.name, |filter| on(kind, name, filter))?;
        parts.add("slug", self.slug, |filter| match slug {
            Some(slug) => on(kind, slug, filter),
            None => Err(Error::input("there is no slug to ask for")),
        })?;
        parts.add("is_null", self.is_null, |wanted| {
            let field = crate::filter::field(kind, id).ok_or_else(|| Error::Internal(format!("no field {id}")))?;
            is_null(field, wanted)
        })?;
        Ok(parts.all())
    }

    /// The same for objects that are named only if something else holds.
    pub(super) fn within(
        mut self,
        kind: Kind,
        fields: NamedFields,
        named: impl Fn() -> Result<Filter>,
    ) -> Result<Filter> {
        let mut parts = Parts::default();
        let is_null = std::mem::replace(&mut self.is_null, MaybeUndefined::Undefined);
        parts.add("is_null", is_null, |wanted| Ok(if wanted { named()?.negated() } else { named()? }))?;
        let asks = !(self.database_id.is_undefined() && self.name.is_undefined() && self.slug.is_undefined());
        if asks {
            parts.push(Filter::All(vec![named()?, self.of(kind, fields)?]));
        }
        Ok(parts.all())
    }
}
