//! The schema: the resources' queries and mutations merged.
use super::change::ChangeQuery;
use super::cluster::ClusterQuery;
use super::endpoint::EndpointQuery;
use super::identity::{IdentityQuery, InventoryRecord, Node, RestResource};
use super::link::LinkQuery;
use super::mutation::Mutation;
use super::netbox::NetBoxQuery;
use super::node::NodeQuery;
use super::report::Report;
use super::search::SearchQuery;
use super::storage::StorageQuery;
use super::sync::SyncQuery;
use super::tag::TagQuery;
use async_graphql::{EmptySubscription, MergedObject, SDLExportOptions};

/// Everything that can be asked. Objects that you may not view do not exist: neither in lists, counts, aggregates and
/// groups, nor in filters.
#[derive(Clone, Copy, Debug, Default, MergedObject)]
pub struct Query(
    IdentityQuery,
    ClusterQuery,
    NodeQuery,
    StorageQuery,
    EndpointQuery,
    NetBoxQuery,
    TagQuery,
    SearchQuery,
    ChangeQuery,
    SyncQuery,
    LinkQuery,
);

/// The schema of the API.
pub type Schema = async_graphql::Schema<Query, Mutation, EmptySubscription>;

/// Deepest nesting that the library itself follows, fragments included; our own limits are tighter for all but chains
/// and cycles of fragments. Each level takes up to 21 kB of a stack of 2 MB in a debug build.
const RECURSION: usize = 64;

/// Builds the schema.
pub fn schema() -> Schema {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .register_output_type::<Node>()
        .register_output_type::<RestResource>()
        .register_output_type::<InventoryRecord>()
        .extension(Report)
        .limit_recursive_depth(RECURSION)
        .finish()
}

/// The schema in its own language, as committed in `schema.graphql`.
pub fn sdl(schema: &Schema) -> String {
    schema.sdl_with_options(SDLExportOptions::new().include_specified_by())
}
