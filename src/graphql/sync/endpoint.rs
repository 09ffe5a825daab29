//! How it stands with syncing an endpoint.
use super::report::SyncErrorClass;
use crate::entity::endpoint;
use crate::entity::sync_report::ErrorClass;
use crate::entity::sync_state::{self, Standing};
use crate::graphql::error::Result;
use crate::graphql::scalar::Time;
use crate::graphql::session;
use async_graphql::{Context, Enum, Object, SimpleObject};
use chrono::Utc;
use std::sync::Arc;

/// How it stands with syncing an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Standing")]
pub enum ProxmoxEndpointSyncState {
    /// It was never synced.
    Never,
    /// The last run saw everything.
    Ok,
    /// The last run saw a part, and changed nothing of the rest.
    Partial,
    /// Another endpoint of the same cluster tells everything; this one takes over when that one fails.
    Standby,
    /// The last run failed or was interrupted.
    Failed,
    /// Proxmox refused the credentials: not tried again by itself before they change.
    Suspended,
    /// The endpoint is disabled: it is not contacted.
    Disabled,
    /// A run is on at this moment.
    Running,
}

/// What went wrong in the last run, in brief.
#[derive(Clone, Debug, SimpleObject)]
pub struct ProxmoxEndpointSyncError {
    /// What went wrong, for programs.
    class: SyncErrorClass,
    /// What went wrong, for people.
    message: String,
}

/// How it stands with syncing an endpoint.
#[derive(Clone, Debug)]
pub struct EndpointSync(pub Arc<endpoint::Model>);

/// How it stands with syncing an endpoint.
#[Object]
impl EndpointSync {
    /// When the last run of sync ended; null before the first one.
    async fn last_sync(&self, ctx: &Context<'_>) -> Result<Option<Time>> {
        Ok(self.row(ctx).await?.and_then(|row| row.last_at).map(Time))
    }

    /// When the schedule's next run is due; null when there is none: the endpoint is disabled or suspended, its interval is
    /// 0, or it has no interval and the server's is 0.
    async fn next_sync(&self, ctx: &Context<'_>) -> Result<Option<Time>> {
        let never = match self.0.sync_interval {
            Some(seconds) => seconds == 0,
            None => session(ctx).app.settings.sync.interval.is_none(),
        };
        let idle = never || !self.0.enabled;
        let row = self.row(ctx).await?.filter(|row| !idle && !row.suspended);
        Ok(row.and_then(|row| row.next_at).map(Time))
    }

    /// How it stands with syncing it.
    async fn state(&self, ctx: &Context<'_>) -> Result<ProxmoxEndpointSyncState> {
        Ok(Standing::of(self.0.enabled, self.row(ctx).await?.as_deref(), Utc::now()).into())
    }

    /// What went wrong in the last run; null when nothing did.
    async fn last_error(&self, ctx: &Context<'_>) -> Result<Option<ProxmoxEndpointSyncError>> {
        let Some(row) = self.row(ctx).await? else { return Ok(None) };
        let error = row.last_class.as_deref().map(|class| ProxmoxEndpointSyncError {
            class: ErrorClass::parse(class).into(),
            message: row.last_error.clone().unwrap_or_default(),
        });
        Ok(error)
    }
}

impl EndpointSync {
    async fn row(&self, ctx: &Context<'_>) -> Result<Option<Arc<sync_state::Model>>> {
        session(ctx).loaders().sync_state(self.0.id).await
    }
}
