//! `endpoint add`: the server is asked before anything is stored.
use super::certificate::Answer;
use super::{OptionalSecret, report, secrets, write};
use crate::app::App;
use crate::cli::{checks, print};
use crate::config::SyncReach;
use crate::entity::{Kind, Resource, endpoint as row};
use crate::error::{Error, Result};
use crate::service::batch::Operation;
use crate::service::endpoint::{self, Patch, Secrets};
use crate::sync::check::{self, Failure, Probe, Trust};
use clap::Args;
use std::path::PathBuf;

/// Add an endpoint.
#[derive(Debug, Args)]
pub(in crate::cli) struct Add {
    /// What to call it
    name: String,
    /// IP address or domain name of the Proxmox API
    host: String,
    /// TCP port of the Proxmox API
    #[arg(long, default_value_t = 8006)]
    port: i64,
    /// The user in Proxmox, with its realm
    #[arg(long, default_value = "root@pam")]
    username: String,
    /// Name of the user's API token
    #[arg(long, default_value = "")]
    token_name: String,
    /// SHA-256 fingerprint of the certificate to accept; it is pinned, and no question is asked
    #[arg(long)]
    fingerprint: Option<String>,
    /// Accept whatever certificate is shown now, and pin it
    #[arg(long, conflicts_with_all = ["fingerprint", "ca", "no_verify"])]
    yes: bool,
    /// A file with the authority's certificate as PEM (pve-root-ca.pem), which then is the only one that counts
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fingerprint", "no_verify"])]
    ca: Option<PathBuf>,
    /// Do not verify the certificate: whoever sits between can read the credentials
    #[arg(long)]
    no_verify: bool,
    /// Store it without asking the server anything
    #[arg(long, conflicts_with = "yes")]
    offline: bool,
    #[command(flatten)]
    secret: OptionalSecret,
    #[command(flatten)]
    pub(super) reach: SyncReach,
}

impl Add {
    pub(super) async fn run(self, app: &App) -> Result<()> {
        let mut new = self.patch()?;
        // What the rules refuse is told before anybody is asked.
        let draft = endpoint::draft(&new)?;
        let checked = if self.offline { None } else { Some(self.ask(app, draft, &mut new).await?) };
        let id = write(app, Operation::Create(new)).await?;
        let row = endpoint::by_id(&app.db, id).await?;
        if let Some(checked) = checked {
            checked.show(&row)?;
        }
        print(&format!("added endpoint {} as {}:{}\n", row.display(), Kind::Endpoint.type_name(), row.id))
    }

    fn patch(&self) -> Result<Patch> {
        let (ip_address, domain) = endpoint::split_host(&self.host)?;
        let ca = self.ca.as_ref().map(|path| {
            let read = std::fs::read_to_string(path);
            read.map_err(|error| Error::Conflict(format!("cannot read {}: {error}", path.display())))
        });
        Ok(Patch {
            name: Some(Some(self.name.clone())),
            ip_address: ip_address.map(Some),
            domain: domain.map(Some),
            port: Some(Some(self.port)),
            username: Some(Some(self.username.clone())),
            token_name: Some(Some(self.token_name.clone())),
            verify_ssl: Some(Some(!self.no_verify)),
            tls_fingerprint: self.fingerprint.clone().map(Some),
            tls_ca: ca.transpose()?.map(Some),
            ..secrets(self.secret.token_stdin, self.secret.password_stdin)?
        })
    }

    /// Asks the server; a certificate that is accepted on the way gets its pin.
    async fn ask(&self, app: &App, mut draft: row::Model, new: &mut Patch) -> Result<Checked> {
        self.must_sign_in()?;
        let place = format!("{}:{}", draft.host().unwrap_or_default(), draft.port);
        let told = |failure: Failure| {
            let class = failure.class.code();
            Error::Conflict(format!("{place}: {failure} ({class}); nothing is stored"))
        };
        let shown = check::shown(app, &draft).await.map_err(told)?;
        if let Some(probe) = &shown
            && let Some(pin) = self.pin(&draft, probe, &place)?
        {
            new.tls_fingerprint = Some(Some(pin));
            draft = endpoint::draft(new)?;
        }
        let secret = |given: &Option<Option<secrecy::SecretString>>| given.clone().flatten();
        let secrets = Secrets { password: secret(&new.password), token_value: secret(&new.token_value) };
        let answer = check::ask(app, &draft, secrets).await.map_err(told)?;
        Ok(Checked { shown, answer })
    }

    fn must_sign_in(&self) -> Result<()> {
        let refused = |words: &str| Err(Error::Conflict(words.into()));
        match (&self.secret, self.token_name.as_str()) {
            (OptionalSecret { token_stdin: false, password_stdin: false }, _) => refused(
                "without credentials Proxmox tells nothing: give --token-stdin or --password-stdin, or --offline to \
                 store the endpoint unasked",
            ),
            (OptionalSecret { token_stdin: true, .. }, "") => {
                refused("the secret of an API token needs its name: give --token-name")
            }
            _ => Ok(()),
        }
    }

    /// The fingerprint to pin, if it is a matter of pins.
    fn pin(&self, draft: &row::Model, probe: &Probe, place: &str) -> Result<Option<String>> {
        let pins = match check::trust(draft) {
            Trust::Pins(pins) => pins,
            // The next call tells whether the authority vouches for it.
            Trust::Ca(_) => return Ok(None),
            Trust::System if probe.is_trusted() => return Ok(None),
            Trust::System => Vec::new(),
            Trust::Unverified => {
                tracing::warn!(
                    "the certificate {} is not verified: whoever sits between can read the credentials",
                    probe.fingerprint
                );
                return Ok(None);
            }
        };
        Answer { pins: &pins, yes: self.yes, place }.must_accept(probe)?;
        // Given ones stay as they are: the others may be of the next certificate.
        Ok(pins.is_empty().then(|| probe.fingerprint.to_string()))
    }
}

/// What was found before it was stored.
struct Checked {
    shown: Option<Probe>,
    answer: check::Answer,
}

impl Checked {
    fn show(self, row: &row::Model) -> Result<()> {
        let answer = Ok(self.answer);
        let mut lines = report::reached(row, &Ok(self.shown));
        lines.extend(report::answered(&report::who(row), Some(&answer)));
        checks::show(&lines)?;
        match &answer {
            Ok(answer) => report::advise(row, answer),
            Err(_) => Ok(()),
        }
    }
}
