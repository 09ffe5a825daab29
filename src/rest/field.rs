//! The fields of the resources: one table a resource, from which bodies are read, answers are written, and OPTIONS and
//! the OpenAPI document are made.
use crate::entity::Kind;

/// A field of a resource.
#[derive(Debug)]
pub struct Field {
    pub name: &'static str,
    /// What people call it; OPTIONS and the document say so.
    pub label: &'static str,
    pub ty: Type,
    /// A new object must have it, and PUT must name it.
    pub required: bool,
    /// It may be null.
    pub nullable: bool,
    pub access: Access,
    /// One sentence for OPTIONS and the document.
    pub help: &'static str,
}

/// Which way a field goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Both,
    /// Given in a body it is passed over, as the plugin does.
    Read,
    /// Never shown.
    Write,
    /// Written when the object is made, and read-only from then on.
    Once,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Id,
    /// The object's own address.
    Url,
    /// The object as people read it.
    Display,
    Text,
    /// A deployment mode, shown as value and label.
    Mode,
    /// A whole number of 32 bits with its bounds.
    Int(i32, i32),
    /// A whole number of 64 bits.
    BigInt,
    Float,
    Bool,
    Address,
    Time,
    Reference(Kind),
    Tags,
    CustomFields,
    Json,
    /// A text that is kept sealed.
    Secret,
}

impl Field {
    /// An optional field that is read and written.
    pub const fn new(name: &'static str, label: &'static str, ty: Type, help: &'static str) -> Self {
        Self { name, label, ty, required: false, nullable: false, access: Access::Both, help }
    }

    /// A new object must have it.
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// It may be null.
    pub const fn nullable(self) -> Self {
        Self { nullable: true, ..self }
    }

    /// It cannot be written.
    pub const fn read_only(self) -> Self {
        Self { access: Access::Read, ..self }
    }

    /// It is never shown.
    pub const fn write_only(self) -> Self {
        Self { access: Access::Write, ..self }
    }

    /// Only a new object takes it.
    pub const fn once(self) -> Self {
        Self { access: Access::Once, ..self }
    }

    /// Whether answers show it.
    pub fn is_shown(&self) -> bool {
        self.access != Access::Write
    }
}

/// A resource: its name, its fields in the order of answers, and what lists of it understand.
#[derive(Debug)]
pub struct Spec {
    pub kind: Kind,
    /// Its singular and plural name in sentences and in the document.
    pub title: &'static str,
    pub plural: &'static str,
    /// What it is, in one or two sentences.
    pub about: &'static str,
    pub fields: &'static [Field],
    /// The fields that `?brief=true` shows.
    pub brief: &'static [&'static str],
    /// The fields that lists can be filtered by, with all suffixes of their type, besides the tags.
    pub filters: &'static [&'static str],
    /// A POST of an object that exists changes it.
    pub upserts: bool,
}

impl Spec {
    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether its objects carry tags.
    pub fn has_tags(&self) -> bool {
        self.fields.iter().any(|field| field.ty == Type::Tags)
    }
}

/// The id of every object.
pub const ID: Field =
    Field::new("id", "ID", Type::Id, "The object's number, the same in GraphQL's databaseId.").read_only();
/// Its address.
pub const URL: Field = Field::new("url", "Url", Type::Url, "Where the object is.").read_only();
/// Its display.
pub const DISPLAY: Field =
    Field::new("display", "Display", Type::Display, "What people read where it is named.").read_only();
/// The tags of an object.
pub const TAGS: Field = Field::new(
    "tags",
    "Tags",
    Type::Tags,
    "Tags, given by number or by attributes such as {\"slug\": \"prod\"}; a list replaces the one that is there.",
);
/// Its custom fields.
pub const CUSTOM_FIELDS: Field = Field::new(
    "custom_fields",
    "Custom fields",
    Type::CustomFields,
    "Values by name; what is given is merged into what is there.",
);
/// When it was made.
pub const CREATED: Field = Field::new("created", "Created", Type::Time, "When the object was made.").read_only();
/// When it changed last.
pub const LAST_UPDATED: Field =
    Field::new("last_updated", "Last updated", Type::Time, "When the object changed last.").read_only();
