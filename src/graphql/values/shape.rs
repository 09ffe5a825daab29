//! What the checks must know of the schema.

use std::collections::{BTreeMap, HashMap};

use async_graphql_parser::types::{
    BaseType, DirectiveLocation, FieldDefinition, InputValueDefinition, OperationType, SchemaDefinition, Type,
    TypeDefinition, TypeKind, TypeSystemDefinition,
};
use async_graphql_parser::{Error, Positioned, parse_schema};

/// Scalars that are in every schema, and so in no SDL.
const BUILT_IN: [&str; 5] = ["Int", "Float", "String", "Boolean", "ID"];

/// What may be given where: the input types of a schema, the arguments of its fields, and its directives. Read once, at
/// start.
#[derive(Clone, Debug)]
pub struct InputShape {
    inputs: HashMap<String, InputType>,
    outputs: HashMap<String, OutputType>,
    directives: HashMap<String, DirectiveShape>,
    query: String,
    mutation: String,
    subscription: String,
}

/// A type that values can have.
#[derive(Clone, Debug)]
pub(super) enum InputType {
    Scalar,
    Enum(Vec<String>),
    Object(InputObject),
}

#[derive(Clone, Debug, Default)]
pub(super) struct InputObject {
    pub(super) fields: Inputs,
    /// Exactly one field must be given, and not as null.
    pub(super) one_of: bool,
    /// Those of the fields that may not be left out.
    required: Vec<String>,
}

impl InputObject {
    /// The fields that may not be left out.
    pub(super) fn required(&self) -> impl Iterator<Item = (&str, &Input)> {
        self.required
            .iter()
            .filter_map(|name| self.fields.get_key_value(name))
            .map(|(name, input)| (name.as_str(), input))
    }
}

/// Arguments, or the fields of an input object. In an order of their own, so that errors have one.
pub(super) type Inputs = BTreeMap<String, Input>;

/// A place for a value.
#[derive(Clone, Debug)]
pub(super) struct Input {
    pub(super) ty: Type,
    pub(super) has_default: bool,
}

impl Input {
    /// Whether it may not be left out.
    pub(super) fn is_required(&self) -> bool {
        !self.ty.nullable && !self.has_default
    }
}

/// The fields of an object or interface; a union has none.
#[derive(Clone, Debug, Default)]
pub(super) struct OutputType(HashMap<String, OutputField>);

#[derive(Clone, Debug)]
pub(super) struct OutputField {
    pub(super) arguments: Inputs,
    /// The type, without list and non-null wrappers.
    pub(super) ty: String,
}

#[derive(Clone, Debug)]
pub(super) struct DirectiveShape {
    pub(super) arguments: Inputs,
    pub(super) locations: Vec<DirectiveLocation>,
}

impl InputShape {
    /// Reads the schema's own SDL.
    ///
    /// # Errors
    /// The SDL does not parse.
    pub fn from_sdl(sdl: &str) -> Result<Self, Error> {
        let mut shape = Self {
            inputs: BUILT_IN.iter().map(|name| ((*name).to_owned(), InputType::Scalar)).collect(),
            outputs: HashMap::new(),
            directives: HashMap::new(),
            query: "Query".to_owned(),
            mutation: "Mutation".to_owned(),
            subscription: "Subscription".to_owned(),
        };
        for definition in parse_schema(sdl)?.definitions {
            match definition {
                TypeSystemDefinition::Schema(schema) => shape.add_roots(schema.node),
                TypeSystemDefinition::Type(ty) => shape.add_type(ty.node),
                TypeSystemDefinition::Directive(directive) => {
                    let directive = directive.node;
                    let locations = directive.locations.iter().map(|location| location.node).collect();
                    let arguments = inputs(directive.arguments).collect();
                    shape.directives.insert(directive.name.to_string(), DirectiveShape { arguments, locations });
                }
            }
        }
        Ok(shape)
    }

    fn add_roots(&mut self, schema: SchemaDefinition) {
        for (root, given) in [
            (&mut self.query, schema.query),
            (&mut self.mutation, schema.mutation),
            (&mut self.subscription, schema.subscription),
        ] {
            if let Some(name) = given {
                *root = name.to_string();
            }
        }
    }

    /// Adds a type. Extensions add to what is there.
    fn add_type(&mut self, ty: TypeDefinition) {
        let name = ty.name.to_string();
        match ty.kind {
            TypeKind::Scalar => {
                self.inputs.insert(name, InputType::Scalar);
            }
            TypeKind::Enum(definition) => {
                let new = definition.values.into_iter().map(|value| value.node.value.to_string());
                match self.inputs.entry(name).or_insert_with(|| InputType::Enum(Vec::new())) {
                    InputType::Enum(values) => values.extend(new),
                    InputType::Scalar | InputType::Object(_) => {}
                }
            }
            TypeKind::InputObject(definition) => {
                let empty = || InputType::Object(InputObject::default());
                if let InputType::Object(object) = self.inputs.entry(name).or_insert_with(empty) {
                    object.fields.extend(inputs(definition.fields));
                    let required = object.fields.iter().filter(|(_, input)| input.is_required());
                    object.required = required.map(|(name, _)| name.clone()).collect();
                    object.one_of |= ty.directives.iter().any(|directive| directive.node.name.node == "oneOf");
                }
            }
            TypeKind::Object(object) => self.outputs.entry(name).or_default().extend(object.fields),
            TypeKind::Interface(interface) => self.outputs.entry(name).or_default().extend(interface.fields),
            TypeKind::Union(_) => {
                self.outputs.entry(name).or_default();
            }
        }
    }

    pub(super) fn input(&self, name: &str) -> Option<&InputType> {
        self.inputs.get(name)
    }

    pub(super) fn output(&self, name: &str) -> Option<&OutputType> {
        self.outputs.get(name)
    }

    pub(super) fn directive(&self, name: &str) -> Option<&DirectiveShape> {
        self.directives.get(name)
    }

    pub(super) fn root(&self, operation: OperationType) -> Option<&OutputType> {
        self.output(match operation {
            OperationType::Query => &self.query,
            OperationType::Mutation => &self.mutation,
            OperationType::Subscription => &self.subscription,
        })
    }
}

impl OutputType {
    fn extend(&mut self, fields: Vec<Positioned<FieldDefinition>>) {
        self.0.extend(fields.into_iter().map(|Positioned { node: field, .. }| {
            let ty = named(&field.ty.node).to_owned();
            (field.name.to_string(), OutputField { arguments: inputs(field.arguments).collect(), ty })
        }));
    }

    pub(super) fn field(&self, name: &str) -> Option<&OutputField> {
        self.0.get(name)
    }
}

fn inputs(definitions: Vec<Positioned<InputValueDefinition>>) -> impl Iterator<Item = (String, Input)> {
    definitions.into_iter().map(|Positioned { node: input, .. }| {
        (input.name.to_string(), Input { ty: input.ty.node, has_default: input.default_value.is_some() })
    })
}

/// The type without list and non-null wrappers.
pub(super) fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(item) => named(item),
    }
}
