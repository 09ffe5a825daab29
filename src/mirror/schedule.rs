//! When NetBox is read by itself. The row of the mirror says what is due, so that of several servers one reads.
use super::{Order, Wanted, abandon, begin, finish};
use crate::app::App;
use crate::client::netbox::NetBox;
use crate::client::netbox::check::{Found, check};
use crate::error::Result;
use crate::service::Actor;
use crate::service::netbox::state;
use chrono::Utc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often it is looked whether something is due.
const LOOK: Duration = Duration::from_secs(1);

/// Reads NetBox whenever it is due, until told to stop. Does nothing if none is connected.
pub async fn keep(app: App, stop: CancellationToken) {
    let (Some(netbox), Some(_)) = (app.netbox.clone(), app.settings.mirror.interval) else { return };
    let keeping = async {
        tell_at_start(&netbox).await;
        loop {
            if let Err(error) = look(&app).await {
                tracing::warn!("the mirror of NetBox could not be kept, which is tried again: {error}");
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::select! { () = keeping => {}, () = stop.cancelled() => {} }
    if let Err(error) = abandon(&app).await {
        tracing::warn!("the right to read NetBox could not be given back; it ends by itself: {error}");
    }
}

/// Says in the log whether NetBox can be used; a mirror that was kept before is served whatever comes out.
async fn tell_at_start(netbox: &NetBox) {
    for checked in check(netbox).await {
        match checked.result {
            Some(Ok(Found::Version(Some(version)))) => tracing::info!("NetBox {version} at {}", netbox.url()),
            Some(Err(failure)) => tracing::warn!("NetBox at {}: {failure}", netbox.url()),
            _ => {}
        }
    }
    if netbox.is_plain() {
        tracing::warn!("NetBox is asked by plain HTTP: its token can be read on the way");
    }
}

async fn look(app: &App) -> Result<()> {
    let (now, state) = (Utc::now(), state::read(&app.db).await?);
    let busy = state.holder.is_some() && state.expires_at.is_some_and(|at| at >= now);
    let other = app.netbox.as_ref().is_some_and(|netbox| netbox.url() != state.url);
    let due = state.next_at.is_none_or(|at| at <= now) || other && state.failures == 0;
    // A shorter interval counts at once.
    let late = state.failures == 0
        && app.settings.mirror.interval.is_some_and(|every| state.last_at.is_some_and(|last| last + every <= now));
    if busy || !(due || late) {
        return Ok(());
    }
    let order = Order { actor: Actor::program("netbox"), wanted: Wanted::Due, delete_many: false };
    let begun = begin(app).await?;
    finish(app, begun, &order).await.map(drop)
}
