//! What a GraphQL request may ask for.
use crate::graphql::limits::Limits;
use clap::Args;

/// What one GraphQL request may ask for.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Limits of a GraphQL request")]
pub struct GraphqlLimits {
    /// Nesting of data fields
    #[arg(long, env = "PROXBOX_GRAPHQL_DEPTH", default_value_t = Limits::default().depth)]
    pub graphql_depth: usize,

    /// Cost: an object 1, a list its page size times an element, counts and aggregates 10
    #[arg(long, env = "PROXBOX_GRAPHQL_COST", default_value_t = Limits::default().cost)]
    pub graphql_cost: u64,

    /// Aliased fields
    #[arg(long, env = "PROXBOX_GRAPHQL_ALIASES", default_value_t = Limits::default().aliases)]
    pub graphql_aliases: usize,

    /// Fields of the query itself
    #[arg(long, env = "PROXBOX_GRAPHQL_ROOT_FIELDS", default_value_t = Limits::default().root_fields)]
    pub graphql_root_fields: usize,

    /// Selected fields, fragments expanded
    #[arg(long, env = "PROXBOX_GRAPHQL_SELECTIONS", default_value_t = Limits::default().selections)]
    pub graphql_selections: u64,

    /// Selections of one field at one place, fragments expanded
    #[arg(long, env = "PROXBOX_GRAPHQL_REPEATS", default_value_t = Limits::default().repeats)]
    pub graphql_repeats: usize,

    /// Directives of one field, fragment, operation or variable
    #[arg(long, env = "PROXBOX_GRAPHQL_DIRECTIVES", default_value_t = Limits::default().directives)]
    pub graphql_directives: usize,

    /// Bytes of query text
    #[arg(long, env = "PROXBOX_GRAPHQL_TEXT", default_value_t = Limits::default().text_bytes)]
    pub graphql_text: usize,

    /// Tokens of query text
    #[arg(long, env = "PROXBOX_GRAPHQL_TOKENS", default_value_t = Limits::default().tokens)]
    pub graphql_tokens: usize,

    /// Brackets within brackets in query text; far more than 100 endanger the parser's stack
    #[arg(long, env = "PROXBOX_GRAPHQL_NESTING", default_value_t = Limits::default().nesting)]
    pub graphql_nesting: usize,

    /// Bytes of a request's body
    #[arg(long, env = "PROXBOX_GRAPHQL_BODY", default_value_t = 1 << 20)]
    pub graphql_body: usize,
}

impl GraphqlLimits {
    /// The limits, but for that of the body.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            depth: self.graphql_depth,
            cost: self.graphql_cost,
            aliases: self.graphql_aliases,
            root_fields: self.graphql_root_fields,
            selections: self.graphql_selections,
            repeats: self.graphql_repeats,
            directives: self.graphql_directives,
            text_bytes: self.graphql_text,
            tokens: self.graphql_tokens,
            nesting: self.graphql_nesting,
        }
    }
}
