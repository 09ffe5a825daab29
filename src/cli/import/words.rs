//! What an import did, for people: a table of the kinds, then what needs a look.
use super::super::{print, table};
use crate::entity::Kind;
use crate::error::Result;
use crate::error::{Error, Problem};
use crate::plugin::{Counts, Difference, Given, LeftOut, Place, Report};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Lines of a sort that are shown at most.
const MOST: usize = 200;
/// Characters of a value that are shown at most.
const LONGEST: usize = 60;

/// Prints it all.
pub(super) fn tell(report: &Report, dry_run: bool) -> Result<()> {
    let rows = report.counts.iter().map(|(kind, counts)| cells(*kind, *counts)).collect();
    table(&["KIND", "READ", "NEW", "CHANGED", "SAME", "LEFT OUT", "CONFLICTS"], rows)?;
    print(&details(report, dry_run))
}

fn cells(kind: Kind, counts: Counts) -> Vec<String> {
    let Counts { read, new, changed, same, left_out, conflicts } = counts;
    let numbers = [read, new, changed, same, left_out, conflicts];
    std::iter::once(plural(kind).to_owned()).chain(numbers.map(|number| number.to_string())).collect()
}

fn details(report: &Report, dry_run: bool) -> String {
    let mut text = String::new();
    let made = report.references.iter().filter(|(_, count)| *count > 0);
    let made = made.map(|(kind, count)| format!("{count} {}", plural(*kind))).collect::<Vec<_>>();
    if !made.is_empty() {
        text += &format!("\nReferences to NetBox that are made: {}.\n", made.join(", "));
    }
    text += &gaps(&report.missing, &report.ignored);
    text += &left_out(&report.left_out);
    let conflicts =
        report.conflicts.iter().map(|one| format!("{}: {}", place(&one.place), difference(&one.difference)));
    text += &section("Values that differ and stay as they are here (theirs → ours)", conflicts);
    let moved = report.moved.iter().map(|name| line(name));
    text += &section("Storages that follow their Proxmox cluster to the NetBox cluster of its new link", moved);
    let renumbered = report.renumbered.iter().map(|one| format!("{} → {}", place(&one.place), one.id));
    text += &section("Rows that get another id, since an object here has theirs", renumbered);
    let collisions =
        report.collisions.iter().map(|one| format!("{}: it is {} here", place(&one.place), line(&one.holder)));
    text += &section("Ids that other objects have here", collisions);
    text += &secrets(&report.secrets);
    text += "\n";
    text += match () {
        () if !report.collisions.is_empty() => {
            "refused: nothing is changed. With --new-ids these rows get ids that are free.\n"
        }
        () if dry_run => "dry run: nothing is changed\n",
        () if report.revision.is_none() => "everything was here already: nothing is changed\n",
        () => "done\n",
    };
    text
}

/// What this version of the plugin has not, and what there is no place for here.
pub(in super::super) fn gaps(missing: &[Kind], ignored: &BTreeMap<Kind, BTreeSet<String>>) -> String {
    let mut text = String::new();
    for kind in missing {
        text += &format!("\nThis version of the plugin has no list of {}.\n", plural(*kind));
    }
    let names = |names: &BTreeSet<String>| names.iter().map(|name| line(name)).collect::<Vec<_>>().join(", ");
    let ignored = ignored.iter().map(|(kind, fields)| format!("{}: {}", plural(*kind), names(fields)));
    text + &section("Fields of the plugin for which there is no place here", ignored)
}

/// Rows that do not fit, with every reason.
pub(in super::super) fn left_out(rows: &[LeftOut]) -> String {
    let reason = |problems: &[Problem]| line(&Error::Input(problems.to_vec()).to_string());
    section("Left out", rows.iter().map(|row| format!("{}: {}", place(&row.place), reason(&row.problems))))
}

fn secrets(endpoints: &[Given]) -> String {
    let commands = endpoints.iter().map(|one| format!("{}   # {}", command(one), line(&one.name)));
    let title = "The plugin never shows secrets. These endpoints have none yet and are not asked before; each command \
                 reads one from stdin";
    section(title, commands)
}

/// The command that gives an endpoint its secret. By its id: names repeat, and may hold anything.
pub(super) fn command(endpoint: &Given) -> String {
    let option = if endpoint.by_token { "--token-stdin" } else { "--password-stdin" };
    format!("proxbox-graphql endpoint set-secret {}:{} {option}", Kind::Endpoint.type_name(), endpoint.id)
}

/// A title with its lines; nothing without lines.
pub(in super::super) fn section(title: &str, lines: impl Iterator<Item = String>) -> String {
    let lines = lines.collect::<Vec<_>>();
    if lines.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{title}:\n");
    lines.iter().take(MOST).for_each(|line| text += &format!("  {line}\n"));
    if lines.len() > MOST {
        text += &format!("  … and {} more; --json shows all\n", lines.len() - MOST);
    }
    text
}

/// `node 7 “pve-07”`.
pub(in super::super) fn place(place: &Place) -> String {
    let id = place.id.map_or_else(|| "?".to_owned(), |id| id.to_string());
    let name = if place.name.is_empty() { String::new() } else { format!(" {}", line(&place.name)) };
    format!("{} {id}{name}", singular(place.kind))
}

/// `field: theirs → ours`.
pub(in super::super) fn difference(one: &Difference) -> String {
    format!("{}: {} → {}", line(&one.field), value(&one.there), value(&one.here))
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) if text.is_empty() => "\"\"".into(),
        Value::String(text) => line(text),
        other => line(&other.to_string()),
    }
}

/// What others wrote must not command the terminal, nor fill it.
fn line(text: &str) -> String {
    let mut shown = text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

fn singular(kind: Kind) -> &'static str {
    match kind {
        Kind::Endpoint => "endpoint",
        Kind::Cluster => "cluster",
        Kind::Node => "node",
        Kind::Storage => "storage",
        Kind::NetBoxCluster => "NetBox cluster",
        Kind::NetBoxDevice => "NetBox device",
        Kind::Tag => "tag",
    }
}

/// Several of a kind.
pub(in super::super) fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::Endpoint => "endpoints",
        Kind::Cluster => "clusters",
        Kind::Node => "nodes",
        Kind::Storage => "storages",
        Kind::NetBoxCluster => "NetBox clusters",
        Kind::NetBoxDevice => "NetBox devices",
        Kind::Tag => "tags",
    }
}
