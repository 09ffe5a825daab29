//! Moving over from the NetBox plugin netbox-proxbox: its REST API is read, and what it keeps is brought here, or
//! compared with what is here.
//!
//! `read` asks, by the client and with no transaction open. `row` puts the plugin's rows into the terms of our files.
//! `adopt` finds out which of them are here already, and under which id. `merge` says of a row that is on both sides
//! whose value counts, `compare` in what they differ. `plan` makes everything that is to be written of it, which
//! `service::import` does. Nothing but `read` and this file does more than think.

mod adopt;
mod compare;
mod field;
mod item;
mod merge;
mod plan;
mod read;
mod report;
mod row;

pub use compare::{Compared, Comparison, Scope, Unlike, compare};
pub use field::{Owner, owner};
pub use plan::{Plan, plan};
pub use read::{There, read};
pub use report::{Collision, Conflict, Counts, Difference, Given, LeftOut, Place, Renumbered, Report};
pub use row::Seen;

use crate::app::{App, Tries};
use crate::error::{Error, Result};
use crate::service::import::{self, Here};
use crate::service::{Actor, Clock};

/// Plans the import on what is here, and writes it unless it is refused or a dry run; tells what was done, or would be.
/// References to NetBox that rows need and that are not here are made from the rows' nested objects; the mirror takes them
/// over if NetBox shows them to it.
pub async fn run(app: &App, there: &There, new_ids: bool, dry_run: bool) -> Result<Report> {
    if dry_run {
        return Ok(plan(there, &import::here(&app.db).await?, new_ids, Clock::now()).report);
    }
    let mut tries = Tries::default();
    loop {
        let written = write(app, there, new_ids).await;
        if !matches!(written, Err(Error::Contention)) || !tries.again().await {
            return written;
        }
    }
}

async fn write(app: &App, there: &There, new_ids: bool) -> Result<Report> {
    let mut tx = app.begin(Actor::program("import netbox")).await?;
    import::take_turns(&tx).await?;
    let mut here = Here::read(tx.connection()).await?;
    let mut planned = plan(there, &here, new_ids, tx.now());
    if !planned.report.renumbered.is_empty() {
        here.reserve(&tx, &planned.report.new_ids()).await?;
        planned = plan(there, &here, new_ids, tx.now());
    }
    let Plan { mut report, writes } = planned;
    if report.collisions.is_empty() && !writes.is_empty() {
        import::write(&mut tx, writes).await?;
        report.revision = tx.commit().await?;
    }
    Ok(report)
}
