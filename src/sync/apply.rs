//! Reading the rows that an observation is about, and writing what becomes of them, in one transaction.
use super::diff::NEW_CLUSTER;
use super::seen::Seen;
use super::snapshot::{CompleteRuns, Plan, Snapshot, Step};
use crate::app::App;
use crate::entity::{Kind, StepAction, endpoint};
use crate::error::Result;
use crate::service::sync_run::{self, Lease};
use crate::service::{Actor, Tx, Writable, cluster, generation, sync_scope};
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;

/// The rows that an endpoint speaks for that showed this.
pub async fn snapshot(connection: &impl ConnectionTrait, endpoint: &endpoint::Model, seen: &Seen) -> Result<Snapshot> {
    let scope = sync_scope::read(connection, endpoint, &seen.identity, &seen.group).await?;
    let complete_runs = match scope.oldest_missing {
        None => CompleteRuns::default(),
        Some(since) => complete_runs(connection, &scope.endpoints, since).await?,
    };
    Ok(Snapshot {
        endpoint: scope.endpoint,
        clusters: scope.clusters,
        nodes: scope.nodes,
        storages: scope.storages,
        locals: scope.locals,
        taken: scope.taken,
        next_local: scope.next_local,
        complete_runs,
    })
}

/// When the runs of these endpoints since then were complete, and about what.
async fn complete_runs(
    connection: &impl ConnectionTrait,
    endpoints: &[i32],
    since: DateTime<Utc>,
) -> Result<CompleteRuns> {
    let mut complete = CompleteRuns::default();
    for (begun, verdicts) in sync_scope::runs_since(connection, endpoints, since).await? {
        let was = |kind: &str| verdicts[kind]["verdict"] == "complete";
        for (kind, runs) in
            [("cluster", &mut complete.cluster), ("nodes", &mut complete.nodes), ("storages", &mut complete.storages)]
        {
            if was(kind) {
                runs.push(begun);
            }
        }
    }
    Ok(complete)
}

/// Makes a plan of the rows as they are inside the transaction, and carries it out, unless the lease is lost. Returns the
/// plan as it was carried out, with the ids of new rows, and the revision.
pub async fn apply(
    app: &App,
    actor: &Actor,
    lease: &Lease,
    endpoint: &endpoint::Model,
    seen: &Seen,
    plan: impl Fn(&Snapshot) -> Plan,
) -> Result<(Plan, Snapshot, Option<i64>)> {
    let mut tx = app.begin(actor.clone()).await?;
    // One after the other: two endpoints of one cluster must not both make its rows.
    tx.take_turn(Kind::Cluster).await?;
    sync_run::renew(&tx, lease).await?;
    let snapshot = snapshot(tx.connection(), endpoint, seen).await?;
    let mut plan = plan(&snapshot);
    write(&mut tx, &mut plan).await?;
    let revision = tx.commit().await?;
    Ok((plan, snapshot, revision))
}

async fn write(tx: &mut Tx, plan: &mut Plan) -> Result<()> {
    if let Some(step) = &plan.endpoint {
        generation::change(tx, &changes(std::slice::from_ref(step))).await?;
    }
    make(tx, &mut plan.locals).await?;
    generation::change(tx, &changes(&plan.locals)).await?;
    make(tx, &mut plan.clusters).await?;
    adopt(plan);
    generation::change(tx, &changes(&plan.clusters)).await?;
    make(tx, &mut plan.nodes).await?;
    generation::change(tx, &changes(&plan.nodes)).await?;
    make(tx, &mut plan.storages).await?;
    generation::change(tx, &changes(&plan.storages)).await?;
    generation::remove(tx, &deletions(&plan.storages)).await?;
    generation::remove(tx, &deletions(&plan.nodes)).await?;
    cluster::remove_all(tx, deletions(&plan.clusters)).await
}

/// Makes the new rows, and notes them as they are stored.
async fn make<M: Writable>(tx: &mut Tx, steps: &mut [Step<M>]) -> Result<()> {
    let new = steps.iter().filter(|step| step.before.is_none()).map(|step| step.after.clone()).collect::<Vec<_>>();
    let made = generation::make(tx, &new).await?;
    for (step, row) in steps.iter_mut().filter(|step| step.before.is_none()).zip(made) {
        step.after = row;
    }
    Ok(())
}

/// Lets the rows below a new cluster refer to it by the id that it got.
fn adopt(plan: &mut Plan) {
    let new = plan.clusters.iter().find(|step| step.before.is_none()).map(|step| step.after.id);
    let Some(id) = new else { return };
    for step in plan.nodes.iter_mut().filter(|step| step.after.proxmox_cluster_id == Some(NEW_CLUSTER)) {
        step.after.proxmox_cluster_id = Some(id);
    }
    for step in plan.storages.iter_mut().filter(|step| step.after.source_id == Some(NEW_CLUSTER)) {
        step.after.source_id = Some(id);
    }
}

fn changes<M: Clone>(steps: &[Step<M>]) -> Vec<(M, M)> {
    let changes = steps.iter().filter(|step| step.action != Some(StepAction::Deleted));
    changes.filter_map(|step| Some((step.before.clone()?, step.after.clone()))).collect()
}

fn deletions<M: Clone>(steps: &[Step<M>]) -> Vec<M> {
    let deletions = steps.iter().filter(|step| step.action == Some(StepAction::Deleted));
    deletions.filter_map(|step| step.before.clone()).collect()
}
