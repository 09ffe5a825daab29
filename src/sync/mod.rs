//! Filling the topology from Proxmox: observe → judge → diff → apply → report.
use crate::app::App;
use crate::entity::sync_run;
use crate::error::Result;
use crate::service::{Actor, endpoint, sync_run as runs};

/// Starts a run of each of these endpoints in the background, and returns the runs as they are written down.
pub async fn start(app: &App, actor: &Actor, endpoints: &[i32], dry_run: bool) -> Result<Vec<sync_run::Model>> {
    let mut queued = Vec::new();
    for id in endpoints {
        let endpoint = endpoint::by_id(&app.db, *id).await?;
        let tx = app.begin(actor.clone()).await?;
        let run = runs::queue(&tx, endpoint.id, &endpoint.name, &actor.principal.name, dry_run).await?;
        tx.commit().await?;
        queued.push(run);
    }
    Ok(queued)
}
