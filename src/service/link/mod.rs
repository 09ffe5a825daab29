//! Links between Proxmox's objects and NetBox's: what is suggested, and what was decided. A link is made by somebody
//! who says so, never silently.
mod decide;
mod score;
mod suggest;

pub(super) use decide::follow;
pub use decide::{Step, decide};
pub use score::{CLEAR, EXACT, Reason};
pub use suggest::{Facts, MOST_CANDIDATES, suggest};

use super::read;
use crate::db::Db;
use crate::entity::{Kind, cluster, endpoint, link_decision, netbox_cluster, netbox_device, node};
use crate::error::{Error, Result};
use crate::filter::View;
use chrono::{DateTime, Utc};
use sea_orm::EntityTrait;

/// What is linked to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LinkType {
    /// A Proxmox cluster to a NetBox cluster.
    #[default]
    ProxmoxCluster,
    /// A Proxmox node to a NetBox device.
    ProxmoxNode,
}

impl LinkType {
    /// Both.
    pub const ALL: [Self; 2] = [Self::ProxmoxCluster, Self::ProxmoxNode];

    /// The type that links objects of this kind.
    pub fn of(kind: Kind) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| ty.object() == kind)
    }

    /// The kind of Proxmox's object.
    pub fn object(self) -> Kind {
        match self {
            Self::ProxmoxCluster => Kind::Cluster,
            Self::ProxmoxNode => Kind::Node,
        }
    }

    /// The kind of NetBox's object.
    pub fn target(self) -> Kind {
        match self {
            Self::ProxmoxCluster => Kind::NetBoxCluster,
            Self::ProxmoxNode => Kind::NetBoxDevice,
        }
    }
}

/// What an object that has no link could be linked to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suggestion {
    pub ty: LinkType,
    /// The id of Proxmox's object.
    pub object: i32,
    pub name: String,
    /// The id and name of its endpoint, if that may be viewed.
    pub endpoint: Option<(i32, String)>,
    /// When the object last changed, so that a decision about it can be refused if it changed meanwhile.
    pub last_updated: DateTime<Utc>,
    /// The best first; at least one, at most [`MOST_CANDIDATES`].
    pub candidates: Vec<Candidate>,
    /// How many there are.
    pub total: usize,
    /// Whether the first candidate can be taken without a look at it.
    pub exact: bool,
}

/// An object of NetBox that another could be linked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// NetBox's id.
    pub target: i32,
    pub name: String,
    /// The name of its site, where it is at one.
    pub site: Option<String>,
    /// How sure it is, 0–100.
    pub score: u8,
    pub reasons: Vec<Reason>,
}

impl Candidate {
    /// The score as clients read it, 0–1.
    pub fn fraction(&self) -> f64 {
        f64::from(self.score) / 100.0
    }
}

/// Which suggestions; what is none is not asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Question {
    pub ty: Option<LinkType>,
    pub endpoint: Option<i32>,
    pub exact: Option<bool>,
}

impl Question {
    /// Whether it asks for this one.
    pub fn takes(&self, suggestion: &Suggestion) -> bool {
        let endpoint = suggestion.endpoint.as_ref().map(|(id, _)| *id);
        self.ty.is_none_or(|ty| ty == suggestion.ty)
            && self.endpoint.is_none_or(|id| Some(id) == endpoint)
            && self.exact.is_none_or(|exact| exact == suggestion.exact)
    }
}

/// All suggestions for what may be viewed, by type, name and id: six statements, whatever there is. What may not be viewed
/// is no candidate, and confirms and contradicts nothing.
pub async fn suggestions(db: &Db, view: &View) -> Result<Vec<Suggestion>> {
    const UNREAD: &[&str] = &["custom_fields"];
    let facts = Facts {
        endpoints: read::all::<endpoint::Entity>(db, view, UNREAD).await?,
        clusters: read::all::<cluster::Entity>(db, view, UNREAD).await?,
        nodes: read::all::<node::Entity>(db, view, UNREAD).await?,
        netbox_clusters: read::all::<netbox_cluster::Entity>(db, view, UNREAD).await?,
        devices: read::all::<netbox_device::Entity>(db, view, UNREAD).await?,
        decisions: link_decision::Entity::find().all(&db.read).await?,
    };
    // Names that repeat thousands of times take a while, in which others want to go on.
    let suggesting = tokio::task::spawn_blocking(move || suggest(&facts));
    suggesting.await.map_err(|error| Error::Internal(format!("suggesting links failed: {error}")))
}
