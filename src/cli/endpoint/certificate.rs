//! Whether the certificate that a server shows is accepted: what was given decides, or who sits at the terminal.
use super::super::terminal;
use crate::error::{Error, Result};
use crate::sync::check::{Fingerprint, Probe};

/// What was said about the certificate beforehand.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    /// The fingerprints that it may have.
    pub pins: &'a [Fingerprint],
    pub yes: bool,
    /// Whom the question is about.
    pub place: &'a str,
}

impl Answer<'_> {
    /// Fails unless the certificate shown is accepted.
    pub(super) fn must_accept(&self, shown: &Probe) -> Result<()> {
        let fingerprint = shown.fingerprint;
        if !self.pins.is_empty() {
            return self.must_match(fingerprint);
        }
        if self.yes {
            return Ok(());
        }
        let question = format!(
            "{} shows a certificate with the SHA-256 fingerprint\n  {fingerprint}\n\
             Compare it with the one in Proxmox (node → System → Certificates). Accept it?",
            self.place
        );
        match terminal::agrees(&question)? {
            Some(true) => Ok(()),
            Some(false) => Err(Error::Conflict("the certificate is not accepted; nothing is stored".into())),
            None => Err(Error::Conflict(format!(
                "{} shows a certificate with the SHA-256 fingerprint {fingerprint}, and there is no terminal to ask \
                 whether it is accepted: give --fingerprint FINGERPRINT or --yes; nothing is stored",
                self.place
            ))),
        }
    }

    fn must_match(&self, shown: Fingerprint) -> Result<()> {
        if self.pins.contains(&shown) {
            return Ok(());
        }
        let given = self.pins.iter().map(Fingerprint::to_string).collect::<Vec<_>>().join(", ");
        let place = self.place;
        Err(Error::Conflict(format!(
            "{place} shows another certificate: its fingerprint is {shown}, and {given} was given; nothing is stored"
        )))
    }
}
