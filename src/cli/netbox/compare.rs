//! `netbox compare`: both sides beside each other.
use super::super::import::{document, netbox, settings, words};
use super::super::{print, table};
use crate::app::{App, Settings};
use crate::config::NetBoxReach;
use crate::error::Result;
use crate::plugin::{self, Compared, Comparison, Scope};
use crate::service::import;
use clap::Args;
use serde_json::{Map, Value, json};
use std::process::ExitCode;

/// Which code says what, for scripts; 1 is failure for every command.
const EXIT_CODES: &str = "\
Exit codes:
  0  both sides are alike
  1  NetBox could not be read, or the command could not begin
  2  the command line is wrong
  3  they differ";

/// Tell in what this server differs from the plugin.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(in crate::cli) struct Compare {
    /// Compare figures that change all the time too: processor and memory in use
    #[arg(long)]
    figures: bool,
    /// Compare when rows were made and changed too
    #[arg(long)]
    times: bool,
    /// Compare the ids too
    #[arg(long)]
    ids: bool,
    /// Print one JSON document that holds everything
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: NetBoxReach,
}

impl Compare {
    pub(super) fn settings(&self) -> Result<Settings> {
        settings(&self.reach)
    }

    pub(super) async fn run(self, app: &App) -> Result<ExitCode> {
        let there = plugin::read(netbox(app)?).await?;
        let scope = Scope { figures: self.figures, times: self.times, ids: self.ids };
        let comparison = plugin::compare(&there, &import::here(&app.db).await?, scope);
        if self.json {
            print(&text(&comparison))?;
        } else {
            tell(&comparison)?;
        }
        Ok(ExitCode::from(if comparison.is_alike() { 0 } else { 3 }))
    }
}

fn tell(comparison: &Comparison) -> Result<()> {
    let rows = comparison.kinds.iter().map(|kind| {
        let numbers = [kind.same, kind.unlike.len(), kind.only_there.len(), kind.only_here.len()];
        let numbers = numbers.map(|number| number.to_string());
        std::iter::once(words::plural(kind.kind).to_owned()).chain(numbers).collect()
    });
    table(&["KIND", "SAME", "DIFFERENT", "ONLY THERE", "ONLY HERE"], rows.collect())?;
    print(&details(comparison))
}

fn details(comparison: &Comparison) -> String {
    let mut text = words::gaps(&comparison.missing, &comparison.ignored);
    let unlike = comparison.kinds.iter().flat_map(|kind| &kind.unlike).map(|row| {
        let fields = row.differences.iter().map(words::difference).collect::<Vec<_>>().join(", ");
        format!("{}: {fields}", words::place(&row.place))
    });
    text += &words::section("Different (theirs → ours)", unlike);
    let there = comparison.kinds.iter().flat_map(|kind| &kind.only_there);
    text += &words::section("Only in the plugin", there.map(words::place));
    let here = comparison.kinds.iter().flat_map(|kind| &kind.only_here);
    text += &words::section("Only here", here.map(words::place));
    text += &words::left_out(&comparison.left_out);
    text + if comparison.is_alike() { "\nboth sides are alike\n" } else { "\nthey differ\n" }
}

fn text(comparison: &Comparison) -> String {
    let kinds = comparison.kinds.iter().map(|kind| (kind.kind.table().to_owned(), compared(kind)));
    let document = json!({
        "alike": comparison.is_alike(),
        "kinds": kinds.collect::<Map<_, _>>(),
        "left_out": comparison.left_out.iter().map(document::left_out).collect::<Vec<_>>(),
        "missing_lists": document::missing(&comparison.missing),
        "ignored_fields": document::ignored(&comparison.ignored),
    });
    format!("{document:#}\n")
}

fn compared(kind: &Compared) -> Value {
    let unlike = kind.unlike.iter().map(|row| {
        let mut object = document::place(&row.place);
        object["differences"] = row.differences.iter().map(document::difference).collect();
        object
    });
    json!({
        "same": kind.same,
        "different": unlike.collect::<Vec<_>>(),
        "only_there": kind.only_there.iter().map(document::place).collect::<Vec<_>>(),
        "only_here": kind.only_here.iter().map(document::place).collect::<Vec<_>>(),
    })
}
