//! Where NetBox is.
use crate::client::netbox::Target;
use crate::error::{Error, Result};
use clap::Args;
use secrecy::SecretString;
use std::env::VarError;
use std::path::{Path, PathBuf};

/// Where NetBox is, and what to believe there.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "NetBox")]
pub struct NetBoxReach {
    /// The NetBox beside this server, as a browser finds it: scheme, host and prefix; its token is in the variable
    /// PROXBOX_NETBOX_TOKEN, or in a file
    #[arg(long, env = "PROXBOX_NETBOX_URL", hide_env_values = true)]
    pub netbox_url: Option<String>,

    /// A file that holds the token; the variable PROXBOX_NETBOX_TOKEN holds the token itself and goes first
    #[arg(long, env = "PROXBOX_NETBOX_TOKEN_FILE")]
    pub netbox_token_file: Option<PathBuf>,

    /// A file with the certificate of the authority that vouches for NetBox, in PEM; without it the system's roots do
    #[arg(long, env = "PROXBOX_NETBOX_CA")]
    pub netbox_ca: Option<PathBuf>,
}

/// The token of NetBox. Not an option: what stands on a command line can be seen by every user of the machine.
const NETBOX_TOKEN: &str = "PROXBOX_NETBOX_TOKEN";

impl NetBoxReach {
    /// The NetBox to ask; none if nothing is set. What is set in part, or cannot be read, is an error that names the
    /// option, and shows no token.
    pub fn target(&self) -> Result<Option<Target>> {
        let wrong = |message: String| Error::Conflict(message);
        let token = self.token()?;
        let Some(url) = &self.netbox_url else {
            let set = [
                (token.is_some(), "a token of NetBox (PROXBOX_NETBOX_TOKEN or PROXBOX_NETBOX_TOKEN_FILE)"),
                (self.netbox_ca.is_some(), "PROXBOX_NETBOX_CA"),
            ];
            return match set.iter().find(|(is_set, _)| *is_set) {
                Some((_, what)) => Err(wrong(format!("{what} is set, but PROXBOX_NETBOX_URL is not"))),
                None => Ok(None),
            };
        };
        let lacks = "PROXBOX_NETBOX_URL is set, but neither PROXBOX_NETBOX_TOKEN nor PROXBOX_NETBOX_TOKEN_FILE is";
        let token = token.ok_or_else(|| wrong(lacks.into()))?;
        let ca = self.netbox_ca.as_deref().map(|path| text_of("PROXBOX_NETBOX_CA", path)).transpose()?;
        let target = Target::parse(url, token, ca);
        target.map(Some).map_err(|why| wrong(format!("PROXBOX_NETBOX_URL, …_TOKEN or …_CA: {why}")))
    }

    fn token(&self) -> Result<Option<SecretString>> {
        match (std::env::var(NETBOX_TOKEN), &self.netbox_token_file) {
            (Ok(token), _) if token.trim().is_empty() => Err(Error::Conflict(format!("{NETBOX_TOKEN} is empty"))),
            (Ok(token), _) => Ok(Some(token.into())),
            (Err(VarError::NotUnicode(_)), _) => Err(Error::Conflict(format!("{NETBOX_TOKEN} is not UTF-8"))),
            (Err(VarError::NotPresent), Some(path)) => {
                text_of("PROXBOX_NETBOX_TOKEN_FILE", path).map(|token| Some(token.into()))
            }
            (Err(VarError::NotPresent), None) => Ok(None),
        }
    }
}

/// The text of a file that an option names; there must be some.
fn text_of(option: &str, path: &Path) -> Result<String> {
    let path_shown = path.display();
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| Error::Conflict(format!("{option}: cannot read {path_shown}: {error}")))?;
    match text.trim().is_empty() {
        true => Err(Error::Conflict(format!("{option}: {path_shown} is empty"))),
        false => Ok(text),
    }
}
