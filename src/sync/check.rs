//! What an endpoint shows before it is trusted, and what it says to its credentials: everything that a run would see, and
//! nothing is written.
use super::judge::{Judged, judge};
use super::observe::observe;
use super::target;
use crate::app::App;
use crate::client::proxmox::{Permissions, probe};
use crate::entity::endpoint;
use crate::service::endpoint::Secrets;
use chrono::Utc;

pub use super::judge::Verdict;
pub use crate::client::proxmox::{Failure, Fingerprint, Probe, Trust};

/// What a sync needs, and where; all of it is in Proxmox' role PVEAuditor.
const NEEDED: [(&str, &str); 3] = [("/", "Sys.Audit"), ("/nodes", "Sys.Audit"), ("/storage", "Datastore.Audit")];

/// A privilege that a sync needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Right {
    pub path: &'static str,
    pub privilege: &'static str,
    pub held: bool,
}

/// What an endpoint said.
#[derive(Debug)]
pub struct Answer {
    /// Of Proxmox VE.
    pub version: String,
    pub rights: Result<Vec<Right>, Failure>,
    /// What a run would believe.
    pub judged: Judged,
}

/// The certificate that is shown to whoever connects; none where the operator wants no TLS. No credentials are sent.
pub async fn shown(app: &App, row: &endpoint::Model) -> Result<Option<Probe>, Failure> {
    if target::is_plain(app, row) {
        return Ok(None);
    }
    let (host, port) = target::place(row);
    probe(&host, port, &app.settings.sync.client).await.map(Some)
}

/// Which certificates are believed.
pub fn trust(row: &endpoint::Model) -> Trust {
    target::trust(row)
}

/// Asks with these credentials.
pub async fn ask(app: &App, row: &endpoint::Model, secrets: Secrets) -> Result<Answer, Failure> {
    let client = target::client_with(app, row, secrets)?;
    let observation = observe(&client, true).await?;
    let judged = judge(&observation, "", "", Utc::now());
    let rights = observation.permissions.as_ref().map(rights).map_err(Clone::clone);
    Ok(Answer { version: observation.version.version, rights, judged })
}

fn rights(permissions: &Permissions) -> Vec<Right> {
    let held = |path, privilege| match path {
        // What lies elsewhere below may be anybody's.
        "/" => permissions.allows(path, privilege),
        _ => permissions.propagates(path, privilege),
    };
    NEEDED.map(|(path, privilege)| Right { path, privilege, held: held(path, privilege) }).to_vec()
}
