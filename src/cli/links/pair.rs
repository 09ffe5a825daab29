//! One object and one of NetBox's, as the command line names them.
use super::super::print;
use crate::app::App;
use crate::entity::{Decision, Kind};
use crate::error::{Error, Result};
use crate::service::Actor;
use crate::service::link::{LinkType, Step};
use clap::Args;
use std::str::FromStr;

/// An object and one of NetBox's.
#[derive(Debug, Args)]
pub(in crate::cli) struct Pair {
    /// The cluster or node: cluster:3, node:7, or a global id such as ProxmoxNode:7
    pub(super) object: Object,
    /// What it is, or is not, in NetBox: the id there, or a global id such as NetBoxDevice:31
    pub(super) target: Target,
}

/// A Proxmox cluster or node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object {
    ty: LinkType,
    id: i32,
}

/// A cluster or device of NetBox; of which kind, need not be said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    kind: Option<Kind>,
    id: i32,
}

impl FromStr for Object {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let parts = text.split_once(':').and_then(|(name, id)| {
            let named = |ty: &LinkType| name == word(*ty) || name == ty.object().type_name();
            Some(Self { ty: LinkType::ALL.into_iter().find(named)?, id: id.parse().ok()? })
        });
        parts.ok_or("neither cluster:ID nor node:ID")
    }
}

impl FromStr for Target {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let number = |id: &str| id.parse().map_err(|_| "neither an id of NetBox's nor such as NetBoxDevice:31");
        match text.split_once(':') {
            None => Ok(Self { kind: None, id: number(text)? }),
            Some((name, id)) => {
                let kind = LinkType::ALL.into_iter().map(LinkType::target).find(|kind| kind.type_name() == name);
                let kind = kind.ok_or("only a NetBoxCluster or a NetBoxDevice can be linked to")?;
                Ok(Self { kind: Some(kind), id: number(id)? })
            }
        }
    }
}

/// What people call the objects of this type.
pub(super) fn word(ty: LinkType) -> &'static str {
    match ty {
        LinkType::ProxmoxCluster => "cluster",
        LinkType::ProxmoxNode => "node",
    }
}

impl Pair {
    /// Accepts or rejects the link.
    pub(super) async fn decide(self, app: &App, decision: Decision) -> Result<()> {
        let (Object { ty, id: object }, Target { kind, id: target }) = (self.object, self.target);
        if kind.is_some_and(|kind| kind != ty.target()) {
            let message = format!("a {} is linked to a {}", ty.object(), ty.target());
            return Err(Error::input(message).within("TARGET"));
        }
        let step = Step { ty, object, if_last_updated: None, target, decision };
        app.decide(Actor::operator(), &[step]).await.map_err(named)?;
        let (object, target) = (format!("{}:{object}", word(ty)), format!("{}:{target}", ty.target().type_name()));
        print(&match decision {
            Decision::Accepted => format!("{object} is linked to {target}\n"),
            Decision::Rejected => format!("{target} is not suggested for {object} any more\n"),
        })
    }
}

/// The error with the argument that is wrong, as the usage calls it.
fn named(error: Error) -> Error {
    match error {
        Error::NotFound(message) => Error::NotFound(format!("OBJECT: {message}")),
        Error::Input(mut problems) => {
            for step in problems.iter_mut().filter_map(|problem| problem.path.first_mut()) {
                *step = step.to_uppercase();
            }
            Error::Input(problems)
        }
        other => other,
    }
}
