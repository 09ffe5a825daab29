//! Starting runs of sync. They go on in the background; `syncRun(id:)` tells how they stand.
use super::input;
use super::payload::{UserError, UserErrorCode};
use crate::entity::{Kind, Scalar, sync_run};
use crate::error::{Error, Problem};
use crate::filter::{Lookup, field, test};
use crate::graphql::connection::Item;
use crate::graphql::endpoint::ProxmoxEndpoint;
use crate::graphql::error::Result;
use crate::graphql::sync::SyncRun;
use crate::graphql::{Session, session};
use crate::principal::Act;
use crate::service::endpoint::disabled;
use crate::service::read;
use async_graphql::{Context, ID, InputObject, Object};
use futures_util::future::try_join_all;

/// Which endpoint to sync.
#[derive(Clone, Debug, InputObject)]
pub struct SyncEndpointInput {
    /// Which one: its id in either form.
    id: ID,
    /// Only tell what would change.
    #[graphql(default_with = "Some(false)")]
    dry_run: Option<bool>,
    /// Comes back in the payload, for the client's own use.
    client_mutation_id: Option<String>,
}

/// How to sync all endpoints.
#[derive(Clone, Debug, Default, InputObject)]
pub struct SyncAllInput {
    /// Only tell what would change.
    #[graphql(default_with = "Some(false)")]
    dry_run: Option<bool>,
    /// Comes back in the payload, for the client's own use.
    client_mutation_id: Option<String>,
}

/// What was started.
#[derive(Clone, Debug)]
struct Started {
    runs: Vec<i32>,
    errors: Vec<UserError>,
    client_mutation_id: Option<String>,
}

/// The run that was started.
#[derive(Clone, Debug)]
pub struct SyncEndpointPayload(Started);

/// The runs that were started.
#[derive(Clone, Debug)]
pub struct SyncAllPayload(Started);

/// The run that was started.
#[Object]
impl SyncEndpointPayload {
    /// The run as it stands now; null when none was started, or if you may not view runs.
    async fn sync_run(&self, ctx: &Context<'_>) -> Result<Option<SyncRun>> {
        Ok(self.0.runs(ctx).await?.pop())
    }

    /// What you can put right; empty when the run was started.
    async fn user_errors(&self) -> &[UserError] {
        &self.0.errors
    }

    /// The `clientMutationId` of the input.
    async fn client_mutation_id(&self) -> Option<&str> {
        self.0.client_mutation_id.as_deref()
    }
}

/// The runs that were started.
#[Object]
impl SyncAllPayload {
    /// The runs as they stand now; empty when none was started, or if you may not view runs.
    async fn sync_runs(&self, ctx: &Context<'_>) -> Result<Vec<SyncRun>> {
        self.0.runs(ctx).await
    }

    /// What you can put right; empty when the runs were started.
    async fn user_errors(&self) -> &[UserError] {
        &self.0.errors
    }

    /// The `clientMutationId` of the input.
    async fn client_mutation_id(&self) -> Option<&str> {
        self.0.client_mutation_id.as_deref()
    }
}

impl Started {
    async fn runs(&self, ctx: &Context<'_>) -> Result<Vec<SyncRun>> {
        let runs = self.runs.iter().map(|id| SyncRun::by_id(session(ctx), *id));
        Ok(try_join_all(runs).await?.into_iter().flatten().collect())
    }
}

/// Mutations that start runs of sync.
#[derive(Clone, Copy, Debug, Default)]
pub struct SyncMutation;

/// Mutations that start runs of sync.
#[Object]
impl SyncMutation {
    /// Starts a run of sync of one endpoint, and answers at once: `syncRun(id:)` tells how it goes on. One that is disabled
    /// is refused. Needs the permission to add runs, and to view the endpoint.
    async fn sync_endpoint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which endpoint, and how.")] input: SyncEndpointInput,
    ) -> Result<SyncEndpointPayload> {
        let session = session(ctx);
        let started = match chosen(session, &input.id).await? {
            Ok(id) => start(session, &[id], input.dry_run).await,
            Err(error) => Err(error),
        };
        told(started, input.client_mutation_id).map(SyncEndpointPayload)
    }

    /// Starts a run of sync of each enabled endpoint that you may view, and answers at once. Needs the permission to add
    /// runs.
    async fn sync_all(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How; may be left out.")] input: Option<SyncAllInput>,
    ) -> Result<SyncAllPayload> {
        let input = input.unwrap_or_default();
        let session = session(ctx);
        let started = match permitted(session) {
            Ok(()) => start(session, &enabled(session).await?, input.dry_run).await,
            Err(error) => Err(error),
        };
        told(started, input.client_mutation_id).map(SyncAllPayload)
    }
}

/// The caller's own mistake, if it is one.
type Chosen<T> = std::result::Result<T, Refused>;

/// Why nothing is started.
enum Refused {
    Disabled(String),
    Other(Error),
}

fn permitted(session: &Session) -> Chosen<()> {
    match session.principal.may_with_runs(Act::Add) {
        true => Ok(()),
        false => Err(Refused::Other(Error::Forbidden("you may not start runs of sync".into()))),
    }
}

/// The endpoint of this id, if it may be synced.
async fn chosen(session: &Session, id: &ID) -> Result<Chosen<i32>> {
    if let Err(refused) = permitted(session) {
        return Ok(Err(refused));
    }
    let mut problems: Vec<Problem> = Vec::new();
    let id = input::id(id, Kind::Endpoint, &mut problems);
    if !problems.is_empty() {
        return Ok(Err(Refused::Other(Error::Input(problems))));
    }
    Ok(match ProxmoxEndpoint::by_id(session, id).await? {
        None => Err(Refused::Other(Error::NotFound(format!("there is no {} {id}", Kind::Endpoint)))),
        Some(ProxmoxEndpoint(row)) if !row.enabled => Err(Refused::Disabled(disabled(&row))),
        Some(ProxmoxEndpoint(row)) => Ok(row.id),
    })
}

/// The enabled endpoints that may be viewed.
async fn enabled(session: &Session) -> Result<Vec<i32>> {
    /// More than any table holds.
    const ALL: u64 = u32::MAX as u64;
    let field = field(Kind::Endpoint, "enabled").ok_or_else(|| Error::Internal("endpoints are not enabled".into()))?;
    let enabled = test(field, Lookup::In(vec![Scalar::Bool(true)]))?;
    Ok(read::ids(&session.app.db, session.principal.view(), Kind::Endpoint, &enabled, ALL).await?)
}

async fn start(session: &Session, endpoints: &[i32], dry_run: Option<bool>) -> Chosen<Vec<sync_run::Model>> {
    session.start_sync(endpoints, dry_run.unwrap_or(false)).await.map_err(Refused::Other)
}

fn told(started: Chosen<Vec<sync_run::Model>>, client_mutation_id: Option<String>) -> Result<Started> {
    let (runs, errors) = match started {
        Ok(runs) => (runs.into_iter().map(|run| run.id).collect(), Vec::new()),
        Err(Refused::Disabled(message)) => (Vec::new(), vec![UserError::at(UserErrorCode::Disabled, message, "id")]),
        Err(Refused::Other(error)) => (Vec::new(), UserError::all(error, &[], false)?),
    };
    Ok(Started { runs, errors, client_mutation_id })
}
