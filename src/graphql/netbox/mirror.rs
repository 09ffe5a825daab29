//! How it stands with the mirror of NetBox.
use crate::entity::{Kind, netbox_mirror};
use crate::graphql::error::Result;
use crate::graphql::scalar::Time;
use crate::graphql::session;
use crate::principal::Act;
use crate::service::netbox::state;
use async_graphql::{Context, Enum, Object, SimpleObject};
use chrono::Utc;

/// How it stands with the mirror of NetBox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum NetBoxMirrorState {
    /// NetBox was never read.
    Never,
    /// The last reading went well.
    Ok,
    /// The last reading failed: what was mirrored before is served, and NetBox is asked again by itself.
    Failed,
    /// More than 30 % of the clusters or devices seem to be deleted in NetBox. They stay until somebody says that this is
    /// right: `syncNetbox(input: {deleteMany: true})`.
    Held,
    /// NetBox is being read at this moment.
    Running,
}

/// What NetBox failed to tell.
#[derive(Clone, Debug, SimpleObject)]
pub struct NetBoxMirrorError {
    /// What went wrong, for programs: `connect`, `timeout`, `auth`, `permission`, `not_netbox` …
    class: String,
    /// What went wrong, for people.
    message: String,
}

/// The mirror of NetBox's clusters and devices: NetBox is read, never written, and everything is answered without it.
#[derive(Clone, Debug)]
pub struct NetBoxMirror(netbox_mirror::Model);

/// The mirror of NetBox's clusters and devices: NetBox is read, never written, and everything is answered without it.
#[Object]
impl NetBoxMirror {
    /// Where NetBox is.
    async fn netbox_url(&self, ctx: &Context<'_>) -> Option<String> {
        session(ctx).app.netbox.as_ref().map(|netbox| netbox.url().to_owned())
    }

    /// Its version; null when it was never reached, or does not say.
    async fn netbox_version(&self) -> Option<&str> {
        self.0.version.as_deref()
    }

    /// How it stands.
    async fn state(&self) -> NetBoxMirrorState {
        let row = &self.0;
        match () {
            () if row.holder.is_some() && row.expires_at.is_some_and(|at| at > Utc::now()) => {
                NetBoxMirrorState::Running
            }
            () if row.last_class.is_some() => NetBoxMirrorState::Failed,
            () if row.last_success_at.is_none() => NetBoxMirrorState::Never,
            () if row.held_clusters + row.held_devices > 0 => NetBoxMirrorState::Held,
            () => NetBoxMirrorState::Ok,
        }
    }

    /// When NetBox last told everything that was asked; null before that.
    async fn last_success(&self) -> Option<Time> {
        self.0.last_success_at.map(Time)
    }

    /// The age of the mirror: whole seconds since NetBox last told everything that was asked; null before that.
    async fn age_seconds(&self) -> Option<i32> {
        self.0.age(Utc::now()).map(|age| i32::try_from(age).unwrap_or(i32::MAX))
    }

    /// When everything was last read; between such times only what changed is.
    async fn last_full(&self) -> Option<Time> {
        self.0.full_at.map(Time)
    }

    /// When all ids were last read, to see what is gone.
    async fn last_sweep(&self) -> Option<Time> {
        self.0.swept_at.map(Time)
    }

    /// When NetBox is read next; null when it is never read by itself.
    async fn next_sync(&self, ctx: &Context<'_>) -> Option<Time> {
        session(ctx).app.settings.mirror.interval?;
        self.0.next_at.map(Time)
    }

    /// Clusters that seem to be deleted in NetBox, and wait for somebody to say that this is right.
    async fn held_clusters(&self) -> i32 {
        self.0.held_clusters
    }

    /// Devices that seem to be deleted in NetBox, and wait for somebody to say that this is right.
    async fn held_devices(&self) -> i32 {
        self.0.held_devices
    }

    /// What went wrong in the last reading; null when nothing did.
    async fn last_error(&self) -> Option<NetBoxMirrorError> {
        let class = self.0.last_class.clone()?;
        Some(NetBoxMirrorError { class, message: self.0.last_error.clone().unwrap_or_default() })
    }
}

impl NetBoxMirror {
    /// The mirror; none if no NetBox is connected, or to those who may view neither clusters nor devices of it.
    pub(in crate::graphql) async fn read(ctx: &Context<'_>) -> Result<Option<Self>> {
        let session = session(ctx);
        let may = [Kind::NetBoxCluster, Kind::NetBoxDevice].iter().any(|kind| session.principal.may(*kind, Act::View));
        if session.app.netbox.is_none() || !may {
            return Ok(None);
        }
        Ok(Some(Self(state::read(&session.app.db).await?)))
    }
}
