//! Suggestions of links between Proxmox's objects and NetBox's.
use super::cluster::ProxmoxCluster;
use super::connection::{Flag, Item, PageInfo};
use super::error::{Failure, Result};
use super::identity::{InventoryRecord, RestResource, resource};
use super::node::ProxmoxNode;
use super::scalar::local_id;
use super::{Session, session};
use crate::entity::{Kind, Scalar};
use crate::page::{Key, KeyType, Page, PageArgs, Position, Signature, signature};
use crate::service::link::{self, Candidate, Question, Reason, Suggestion};
use async_graphql::{Context, Enum, ID, Object};
use sea_orm::sea_query::Expr;

/// What is linked to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "link::LinkType")]
pub enum LinkType {
    /// A Proxmox cluster, or standalone host, to a NetBox cluster.
    ProxmoxCluster,
    /// A Proxmox node to a NetBox device.
    ProxmoxNode,
}

/// Why an object of NetBox is suggested, or what speaks against it. Each weighs in the score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Reason")]
pub enum LinkReason {
    /// This link was accepted, or made by hand, and then lost: it comes first.
    AcceptedBefore,
    /// The names are the same.
    Name,
    /// The names are the same but for the case of letters.
    NameIgnoringCase,
    /// One name is the first label of the other: `pve1` and `pve1.example.com`.
    FirstLabel,
    /// The node's address is a primary address of the device.
    PrimaryAddress,
    /// The device is in the NetBox cluster that the node's cluster is linked to; or, of a cluster: devices that its nodes
    /// are linked to are in this NetBox cluster.
    #[graphql(name = "NETBOX_CLUSTER")]
    NetBoxCluster,
    /// It is at the site of what the cluster and its nodes are linked to already.
    Site,
    /// Against it: the device has another primary address.
    OtherAddress,
    /// Against it: what is linked already is in another NetBox cluster.
    #[graphql(name = "OTHER_NETBOX_CLUSTER")]
    OtherNetBoxCluster,
    /// Against it: what is linked already is at another site.
    OtherSite,
}

/// An object of NetBox that another may be.
#[derive(Clone, Debug)]
pub struct LinkCandidate {
    kind: Kind,
    candidate: Candidate,
}

/// An object of NetBox that another may be.
#[Object]
impl LinkCandidate {
    /// The NetBox cluster or device; null if it is gone meanwhile.
    async fn target(&self, ctx: &Context<'_>) -> Result<Option<RestResource>> {
        resource(session(ctx), self.kind, self.candidate.target).await
    }

    /// How sure it is, 0–1: the sum of what its reasons weigh.
    async fn score(&self) -> f64 {
        self.candidate.fraction()
    }

    /// Why it is suggested, and what speaks against it.
    async fn reasons(&self) -> Vec<LinkReason> {
        self.candidate.reasons.iter().copied().map(LinkReason::from).collect()
    }
}

/// What a Proxmox cluster or node without a link could be linked to. `acceptLink` makes the link; nothing else does.
#[derive(Clone, Debug)]
pub struct LinkSuggestion(Suggestion);

/// What a Proxmox cluster or node without a link could be linked to. `acceptLink` makes the link; nothing else does.
#[Object]
impl LinkSuggestion {
    /// What would be linked to what.
    async fn r#type(&self) -> LinkType {
        self.0.ty.into()
    }

    /// The Proxmox cluster or node; null if it is gone meanwhile.
    async fn object(&self, ctx: &Context<'_>) -> Result<Option<InventoryRecord>> {
        object(session(ctx), self.0.ty, self.0.object).await
    }

    /// What it may be in NetBox, the best first; at most 10.
    async fn candidates(&self) -> Vec<LinkCandidate> {
        let kind = self.0.ty.target();
        self.0.candidates.iter().cloned().map(|candidate| LinkCandidate { kind, candidate }).collect()
    }

    /// How many candidates there are; of a name that more than 1 000 objects share, 1 000 are looked at.
    async fn candidate_count(&self) -> usize {
        self.0.total
    }

    /// Whether the first candidate can be accepted without a look at it: sure enough (0.75) and clear of all others (by
    /// 0.15, and none of them has the node's address instead), while no other object of the endpoint could be it as well.
    async fn is_exact(&self) -> bool {
        self.0.exact
    }
}

/// The Proxmox object of a link, if it may be viewed.
pub async fn object(session: &Session, ty: link::LinkType, id: i32) -> Result<Option<InventoryRecord>> {
    Ok(match ty {
        link::LinkType::ProxmoxCluster => {
            ProxmoxCluster::by_id(session, id).await?.map(InventoryRecord::ProxmoxCluster)
        }
        link::LinkType::ProxmoxNode => ProxmoxNode::by_id(session, id).await?.map(InventoryRecord::ProxmoxNode),
    })
}

/// A suggestion and its cursor.
#[derive(Clone, Debug)]
pub struct LinkSuggestionEdge(LinkSuggestion);

/// A suggestion and its cursor.
#[Object]
impl LinkSuggestionEdge {
    /// Where the suggestion stands in the list; give it back as `after`.
    async fn cursor(&self) -> String {
        cursor(&self.0)
    }

    /// The suggestion.
    async fn node(&self) -> LinkSuggestion {
        self.0.clone()
    }
}

/// Suggestions of links: clusters first, then nodes, each by name.
#[derive(Clone, Debug)]
pub struct LinkSuggestionConnection {
    suggestions: Vec<LinkSuggestion>,
    before: bool,
    more: bool,
    total: usize,
}

/// Suggestions of links: clusters first, then nodes, each by name.
#[Object]
impl LinkSuggestionConnection {
    /// The suggestions, each with its cursor.
    async fn edges(&self) -> Vec<LinkSuggestionEdge> {
        self.suggestions.iter().cloned().map(LinkSuggestionEdge).collect()
    }

    /// The suggestions: `edges { node }`, shorter.
    async fn nodes(&self) -> &[LinkSuggestion] {
        &self.suggestions
    }

    /// Where this page lies in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            next: Flag::Known(self.more),
            previous: Flag::Known(self.before),
            start_cursor: self.suggestions.first().map(cursor),
            end_cursor: self.suggestions.last().map(cursor),
        }
    }

    /// Suggestions on all pages.
    async fn total_count(&self) -> usize {
        self.total
    }
}

/// What the cursors of the list are bound to.
fn list() -> Signature {
    signature("link suggestions: type, name")
}

fn cursor(suggestion: &LinkSuggestion) -> String {
    position(&suggestion.0).cursor(list())
}

fn position(suggestion: &Suggestion) -> Position {
    let Suggestion { ty, name, object, .. } = suggestion;
    let numbers = [*ty as i64, i64::from(*object)].map(|number| Some(Scalar::Int(number)));
    let [ty, object] = numbers;
    Position(vec![ty, Some(Scalar::Text(name.clone())), object])
}

fn page(first: Option<i64>, after: Option<String>) -> Result<Page> {
    let key = |ty| Key { expr: Expr::val(0), ty, nullable: false, descending: false, nulls_first: false };
    let keys = [KeyType::Int, KeyType::Text, KeyType::Int].map(key);
    Ok(Page::new(&PageArgs { first, after, ..PageArgs::default() }, list(), &keys)?)
}

/// Whether a suggestion lies behind a place of the list, be there still one or not.
fn is_behind(suggestion: &Suggestion, place: &Position) -> bool {
    match place.0.as_slice() {
        [Some(Scalar::Int(ty)), Some(Scalar::Text(name)), Some(Scalar::Int(object))] => {
            (suggestion.ty as i64, &suggestion.name, i64::from(suggestion.object)) > (*ty, name, *object)
        }
        _ => false,
    }
}

/// Queries for suggestions of links.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkQuery;

/// Queries for suggestions of links.
#[Object]
impl LinkQuery {
    /// What the Proxmox clusters and nodes without a link to NetBox could be linked to: clusters first, then nodes, each by
    /// name. What is stale, and what has no candidate, is left out; so is what was rejected. Objects that you may not view
    /// are no candidates, and neither confirm nor contradict one.
    #[allow(clippy::too_many_arguments)]
    async fn link_suggestions(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "type", desc = "Only links of this type.")] ty: Option<LinkType>,
        #[graphql(desc = "Only for objects of this endpoint: its id in either form.")] endpoint: Option<ID>,
        #[graphql(desc = "Only exact ones, or only those that need a look.")] exact: Option<bool>,
        #[graphql(desc = "So many suggestions: 0–1000, 50 by default.")] first: Option<i64>,
        #[graphql(desc = "Only suggestions behind this cursor.")] after: Option<String>,
    ) -> Result<LinkSuggestionConnection> {
        let session = session(ctx);
        let page = page(first, after)?;
        let endpoint = endpoint.map(|id| local_id(&id, Kind::Endpoint)).transpose();
        let endpoint = endpoint.map_err(|error| Failure::from(error.within("endpoint")))?;
        let question = Question { ty: ty.map(link::LinkType::from), endpoint, exact };
        let all = session.loaders().suggestions().await?;
        let all = all.iter().filter(|suggestion| question.takes(suggestion)).collect::<Vec<_>>();
        let total = all.len();
        let start = page.after.map_or(0, |place| all.partition_point(|suggestion| !is_behind(suggestion, &place)));
        let shown = all.into_iter().skip(start).take(page.limit as usize);
        let suggestions = shown.cloned().map(LinkSuggestion).collect::<Vec<_>>();
        let more = start + suggestions.len() < total;
        Ok(LinkSuggestionConnection { suggestions, before: start > 0, more, total })
    }
}
