//! `links suggest|accept|reject`: which of Proxmox's objects is which of NetBox's.
mod pair;
mod show;

use super::{print, terminal};
use crate::app::App;
use crate::entity::Decision;
use crate::error::{Error, Result};
use crate::principal::Principal;
use crate::service::Actor;
use crate::service::link::{self, LinkType, Question, Step, Suggestion};
use clap::{Args, Subcommand, ValueEnum};
use pair::{Object, Pair, Target};

/// Link Proxmox's clusters and nodes to NetBox's clusters and devices.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show what could be linked to what, how sure that is, and why
    Suggest(Suggest),
    /// Make a link, or all that are exact; it is remembered
    Accept(Accept),
    /// Remember that two are not the same: they are not suggested again
    Reject(Pair),
}

/// Show what could be linked to what.
#[derive(Debug, Args)]
pub(super) struct Suggest {
    /// Only clusters, or only nodes
    #[arg(long = "type", value_name = "TYPE")]
    ty: Option<Type>,
    /// Only what `accept --exact` would link
    #[arg(long)]
    exact: bool,
    /// Print one JSON document that holds everything
    #[arg(long)]
    json: bool,
}

/// Make a link, or all that are exact.
#[derive(Debug, Args)]
pub(super) struct Accept {
    /// The cluster or node: cluster:3, node:7, or a global id such as ProxmoxNode:7
    #[arg(required_unless_present = "exact", conflicts_with = "exact")]
    object: Option<Object>,
    /// What it is in NetBox: the id there, or a global id such as NetBoxDevice:31
    #[arg(required_unless_present = "exact", conflicts_with = "exact")]
    target: Option<Target>,
    /// Make all links that are exact, in one transaction: all or none
    #[arg(long)]
    exact: bool,
    /// Only clusters, or only nodes
    #[arg(long = "type", value_name = "TYPE", requires = "exact", conflicts_with = "object")]
    ty: Option<Type>,
    /// Ask no question
    #[arg(long, requires = "exact", conflicts_with = "object")]
    yes: bool,
}

/// What is linked.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Type {
    Cluster,
    Node,
}

impl From<Type> for LinkType {
    fn from(ty: Type) -> Self {
        match ty {
            Type::Cluster => Self::ProxmoxCluster,
            Type::Node => Self::ProxmoxNode,
        }
    }
}

impl Command {
    /// Runs the command.
    pub(super) async fn run(self, app: &App) -> Result<()> {
        match self {
            Self::Suggest(suggest) => suggest.run(app).await,
            Self::Accept(Accept { object: Some(object), target: Some(target), .. }) => {
                Pair { object, target }.decide(app, Decision::Accepted).await
            }
            Self::Accept(accept) => accept.all_exact(app).await,
            Self::Reject(pair) => pair.decide(app, Decision::Rejected).await,
        }
    }
}

async fn suggestions(app: &App, ty: Option<Type>, exact: bool) -> Result<Vec<Suggestion>> {
    let question = Question { ty: ty.map(LinkType::from), endpoint: None, exact: exact.then_some(true) };
    let mut found = link::suggestions(&app.db, Principal::operator().view()).await?;
    found.retain(|suggestion| question.takes(suggestion));
    Ok(found)
}

impl Suggest {
    async fn run(self, app: &App) -> Result<()> {
        let found = suggestions(app, self.ty, self.exact).await?;
        match self.json {
            true => print(&show::document(&found)),
            false => show::suggestions(&found),
        }
    }
}

impl Accept {
    /// What was shown is what is linked: an object that changed meanwhile stops it.
    async fn all_exact(self, app: &App) -> Result<()> {
        let found = suggestions(app, self.ty, true).await?;
        if found.is_empty() {
            return print("nothing is exact: there is nothing to link\n");
        }
        show::table(&found)?;
        if !self.yes {
            match terminal::agrees(&format!("\nMake the links to the first of each, {} in all?", found.len()))? {
                Some(true) => {}
                Some(false) => return Err(Error::Conflict("nothing is linked".into())),
                None => {
                    let message = "there is no terminal to ask on; --yes makes these links without a question";
                    return Err(Error::Conflict(message.into()));
                }
            }
        }
        let steps = found.iter().filter_map(|suggestion| {
            let target = suggestion.candidates.first()?.target;
            let (ty, object, if_last_updated) = (suggestion.ty, suggestion.object, Some(suggestion.last_updated));
            Some(Step { ty, object, if_last_updated, target, decision: Decision::Accepted })
        });
        let steps = steps.collect::<Vec<_>>();
        app.decide(Actor::operator(), &steps).await?;
        print(&format!("\nlinks made: {}\n", steps.len()))
    }
}
