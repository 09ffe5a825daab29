/// What NetBox says of another object where it names one: a site, a tenant, a role …
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// NetBox's id.
    pub id: i32,
    pub name: String,
    /// None where NetBox gives none, as for racks.
    pub slug: Option<String>,
}

impl Named {
    /// From its three columns; none without an id.
    pub fn of(id: Option<i32>, name: &Option<String>, slug: &Option<String>) -> Option<Self> {
        Some(Self { id: id?, name: name.clone().unwrap_or_default(), slug: slug.clone() })
    }

    /// Its three columns.
    pub fn columns(named: Option<Self>) -> (Option<i32>, Option<String>, Option<String>) {
        named.map_or((None, None, None), |named| (Some(named.id), Some(named.name), named.slug))
    }
}
