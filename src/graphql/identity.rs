//! The interfaces, and the queries by global id.
//!
//! Variants are named as their GraphQL types; the lint on attributes takes two fields of one type for a mistake.
#![allow(clippy::duplicated_attributes, clippy::enum_variant_names)]

use super::cluster::ProxmoxCluster;
use super::connection::Item;
use super::endpoint::ProxmoxEndpoint;
use super::error::{Failure, Result};
use super::netbox::{NetBoxCluster, NetBoxDevice};
use super::node::ProxmoxNode;
use super::scalar::{Json, Time, parse_global_id, parse_run_id};
use super::storage::ProxmoxStorage;
use super::sync::SyncRun;
use super::tag::Tag;
use super::{Session, session};
use crate::entity::Kind;
use async_graphql::{Context, Enum, ID, Interface, Object};
use futures_util::future::try_join_all;

/// Relay global object identification. Every `ID` argument of a *known* type also takes the REST integer:
/// `proxmoxCluster(id: 1)`.
#[derive(Clone, Debug, Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Global id: the type and the REST id, e.g. `ProxmoxCluster:1`."))]
pub enum Node {
    ProxmoxEndpoint(ProxmoxEndpoint),
    ProxmoxCluster(ProxmoxCluster),
    ProxmoxNode(ProxmoxNode),
    ProxmoxStorage(ProxmoxStorage),
    NetBoxCluster(NetBoxCluster),
    NetBoxDevice(NetBoxDevice),
    Tag(Tag),
    SyncRun(SyncRun),
}

/// An object the REST API serves too.
#[derive(Clone, Debug, Interface)]
#[graphql(
    field(name = "id", ty = "ID", desc = "Global id: the type and the REST id, e.g. `ProxmoxCluster:1`."),
    field(name = "database_id", ty = "i32", desc = "REST `id`: the integer that the other API knows it by."),
    field(name = "url", ty = "String", desc = "REST `url`: where the other API serves it."),
    field(name = "display", ty = "String", desc = "REST `display`: what people read where it is named.")
)]
pub enum RestResource {
    ProxmoxEndpoint(ProxmoxEndpoint),
    ProxmoxCluster(ProxmoxCluster),
    ProxmoxNode(ProxmoxNode),
    ProxmoxStorage(ProxmoxStorage),
    NetBoxCluster(NetBoxCluster),
    NetBoxDevice(NetBoxDevice),
    Tag(Tag),
}

/// An object of the inventory, with what NetBox's people expect of one.
#[derive(Clone, Debug, Interface)]
#[graphql(
    field(name = "id", ty = "ID", desc = "Global id: the type and the REST id, e.g. `ProxmoxCluster:1`."),
    field(name = "database_id", ty = "i32", desc = "REST `id`: the integer that the other API knows it by."),
    field(name = "url", ty = "String", desc = "REST `url`: where the other API serves it."),
    field(name = "display", ty = "String", desc = "REST `display`: what people read where it is named."),
    field(name = "tags", ty = "Vec<Tag>", desc = "Its tags, by name."),
    field(name = "custom_fields", ty = "Json", desc = "Values of NetBox's custom fields: an object, as REST has it."),
    field(name = "created", ty = "Time", desc = "When it was made."),
    field(name = "last_updated", ty = "Time", desc = "When it last changed.")
)]
pub enum InventoryRecord {
    ProxmoxEndpoint(ProxmoxEndpoint),
    ProxmoxCluster(ProxmoxCluster),
    ProxmoxNode(ProxmoxNode),
    ProxmoxStorage(ProxmoxStorage),
}

/// The types of objects that have an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum InventoryType {
    /// An installation of Proxmox VE as it is reached.
    ProxmoxEndpoint,
    /// A cluster of Proxmox VE.
    ProxmoxCluster,
    /// A hypervisor node.
    ProxmoxNode,
    /// A storage of Proxmox VE.
    ProxmoxStorage,
    /// A reference to a cluster in NetBox.
    #[graphql(name = "NETBOX_CLUSTER")]
    NetBoxCluster,
    /// A reference to a device in NetBox.
    #[graphql(name = "NETBOX_DEVICE")]
    NetBoxDevice,
    /// A label.
    Tag,
}

impl From<InventoryType> for Kind {
    fn from(ty: InventoryType) -> Self {
        let of = Self::ALL.into_iter().find(|kind| InventoryType::from(*kind) == ty);
        // Both enums name the same kinds.
        of.unwrap_or(Self::Tag)
    }
}

impl From<Kind> for InventoryType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Endpoint => Self::ProxmoxEndpoint,
            Kind::Cluster => Self::ProxmoxCluster,
            Kind::Node => Self::ProxmoxNode,
            Kind::Storage => Self::ProxmoxStorage,
            Kind::NetBoxCluster => Self::NetBoxCluster,
            Kind::NetBoxDevice => Self::NetBoxDevice,
            Kind::Tag => Self::Tag,
        }
    }
}

/// Ids that one `nodes` query may ask for.
const MOST_IDS: usize = 1_000;

/// Queries by global id.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdentityQuery;

/// Queries by global id.
#[Object]
impl IdentityQuery {
    /// The object with this global id; null if there is none that you may view.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A global id, such as `ProxmoxCluster:1`.")] id: ID,
    ) -> Result<Option<Node>> {
        find(session(ctx), &id).await
    }

    /// The objects with these global ids, in the order asked; null where there is none that you may view.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Global ids, such as `ProxmoxCluster:1`; at most 1000.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        if ids.len() > MOST_IDS {
            return Err(Failure::input(format!("ids: {} are too many; at most {MOST_IDS} are allowed", ids.len())));
        }
        let session = session(ctx);
        try_join_all(ids.iter().map(|id| find(session, id))).await
    }
}

async fn find(session: &Session, id: &ID) -> Result<Option<Node>> {
    if let Some(run) = parse_run_id(id) {
        return Ok(SyncRun::by_id(session, run).await?.map(Node::SyncRun));
    }
    let (kind, id) = parse_global_id(id)?;
    Ok(resource(session, kind, id).await?.map(|found| match found {
        RestResource::ProxmoxEndpoint(found) => Node::ProxmoxEndpoint(found),
        RestResource::ProxmoxCluster(found) => Node::ProxmoxCluster(found),
        RestResource::ProxmoxNode(found) => Node::ProxmoxNode(found),
        RestResource::ProxmoxStorage(found) => Node::ProxmoxStorage(found),
        RestResource::NetBoxCluster(found) => Node::NetBoxCluster(found),
        RestResource::NetBoxDevice(found) => Node::NetBoxDevice(found),
        RestResource::Tag(found) => Node::Tag(found),
    }))
}

/// The object of this kind and id, if it may be viewed.
pub async fn resource(session: &Session, kind: Kind, id: i32) -> Result<Option<RestResource>> {
    Ok(match kind {
        Kind::Endpoint => ProxmoxEndpoint::by_id(session, id).await?.map(RestResource::ProxmoxEndpoint),
        Kind::Cluster => ProxmoxCluster::by_id(session, id).await?.map(RestResource::ProxmoxCluster),
        Kind::Node => ProxmoxNode::by_id(session, id).await?.map(RestResource::ProxmoxNode),
        Kind::Storage => ProxmoxStorage::by_id(session, id).await?.map(RestResource::ProxmoxStorage),
        Kind::NetBoxCluster => NetBoxCluster::by_id(session, id).await?.map(RestResource::NetBoxCluster),
        Kind::NetBoxDevice => NetBoxDevice::by_id(session, id).await?.map(RestResource::NetBoxDevice),
        Kind::Tag => Tag::by_id(session, id).await?.map(RestResource::Tag),
    })
}
