//! `netbox check`: each step in a line, and what is to be done about those that failed. Needs no database.
use crate::cli::checks::{self, Line};
use crate::cli::print;
use crate::client::netbox::check::{Checked, Found, Step, check};
use crate::client::netbox::{Class, Failure, NetBox, Rules};
use crate::config::NetBoxReach;
use crate::error::{Error, Result};
use clap::Args;
use std::process::ExitCode;

/// Ask NetBox whether it is there, and what the token may see.
#[derive(Debug, Args)]
pub(in crate::cli) struct Check {
    #[command(flatten)]
    reach: NetBoxReach,
}

impl Check {
    /// The exit code is 1 if anything is not as it should be.
    pub(super) async fn run(self) -> Result<ExitCode> {
        let Some(target) = self.reach.target()? else {
            return Err(Error::Conflict("no NetBox is set: give PROXBOX_NETBOX_URL and PROXBOX_NETBOX_TOKEN".into()));
        };
        let netbox = NetBox::new(target, Rules::netbox());
        let netbox = netbox.map_err(|failure| Error::Conflict(format!("NetBox cannot be asked: {failure}")))?;
        if netbox.is_plain() {
            tracing::warn!("{} is asked without TLS: the token goes in the clear", netbox.url());
        }
        let steps = check(&netbox).await;
        checks::show(&steps.iter().map(line).collect::<Vec<_>>())?;
        print(&advice(&steps))?;
        Ok(if steps.iter().all(Checked::is_good) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn line(checked: &Checked) -> Line {
    let what = match checked.step {
        Step::Reached => "reachable",
        Step::Version => "version",
        Step::Token => "token",
        Step::Clusters => "clusters",
        Step::Devices => "devices",
    };
    match &checked.result {
        None => Line::unknown(what),
        // Its words name the path already.
        Some(Err(failure @ Failure { class: Class::Permission { .. }, .. })) => {
            Line::bad(what, format!("{}: {}", failure.class.code(), failure.message))
        }
        Some(Err(failure)) => Line::told(what, failure),
        Some(Ok(found)) => Line::good(what, detail(found)),
    }
}

fn detail(found: &Found) -> String {
    match found {
        Found::Address(address) => address.clone(),
        Found::Version(Some(version)) => format!("NetBox {version}"),
        Found::Version(None) => "it does not say".into(),
        Found::User(Some(user)) => format!("of the user {user}"),
        Found::User(None) => "taken; it does not say whose it is".into(),
        Found::Count(Some(0)) => "none is seen: there are none, or the permission of the token is for others".into(),
        Found::Count(Some(count)) => format!("seen: {count}"),
        Found::Count(None) => "seen".into(),
    }
}

/// What is to be done, a paragraph a matter; nothing if all is well.
fn advice(steps: &[Checked]) -> String {
    let failed = steps.iter().filter_map(|checked| match &checked.result {
        Some(Err(failure)) => advise(checked.step, failure),
        _ => None,
    });
    failed.map(|text| format!("\n{text}\n")).collect()
}

fn advise(step: Step, failure: &Failure) -> Option<&'static str> {
    Some(match (&failure.class, step) {
        (Class::Permission { .. }, Step::Clusters) => {
            "In NetBox, give the user of the token a permission (Admin, Permissions) with the action view on the object\n\
             type virtualization.cluster (Virtualization > Cluster)."
        }
        (Class::Permission { .. }, Step::Devices) => {
            "In NetBox, give the user of the token a permission (Admin, Permissions) with the action view on the object\n\
             type dcim.device (DCIM > Device)."
        }
        (Class::Auth, _) => {
            "Make a token in NetBox (Admin, API Tokens), which needs no right to write, and set PROXBOX_NETBOX_TOKEN to \
             all of it.\nOne that is there may be disabled, expired, or for other addresses than this machine's."
        }
        (Class::NotNetBox, _) => {
            "PROXBOX_NETBOX_URL must be the address of NetBox' front page, with the prefix under which it lies."
        }
        (Class::TlsUntrusted, _) => {
            "If an authority of your own vouches for NetBox, name the file with its certificate: PROXBOX_NETBOX_CA."
        }
        (Class::Dns | Class::Connect | Class::Timeout, _) => {
            "See that NetBox runs, that host and port of PROXBOX_NETBOX_URL are right, and that no firewall stands between."
        }
        (Class::Address, _) => "PROXBOX_NETBOX_URL must not lead to a link-local address or a cloud's metadata.",
        (Class::Protocol, Step::Reached) => "See that PROXBOX_NETBOX_URL begins as NetBox' address does in a browser.",
        (Class::Degraded, _) => "NetBox is there and does not work: its log tells why.",
        _ => return None,
    })
}
