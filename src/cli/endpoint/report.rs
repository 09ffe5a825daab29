//! What the checks of an endpoint found, as a table and with what is to be done.
use super::super::checks::Line;
use super::super::print;
use crate::entity::endpoint;
use crate::error::Result;
use crate::sync::check::{Answer, Failure, Fingerprint, Probe, Right, Trust, Verdict, trust};

/// What only an answer tells.
const ANSWERED: [&str; 6] = ["login", "version", "privileges", "cluster", "nodes", "storages"];

/// Whether it is there, and its certificate.
pub(super) fn reached(row: &endpoint::Model, shown: &Result<Option<Probe>, Failure>) -> Vec<Line> {
    let port = row.port;
    match shown {
        Err(failure) => vec![Line::told("reachable", failure), Line::unknown("certificate")],
        Ok(None) => vec![
            Line::good("reachable", format!("{}:{port}", row.host().unwrap_or_default())),
            Line::good("certificate", "none: it is asked without TLS, and whoever sits between reads everything"),
        ],
        Ok(Some(probe)) => {
            vec![Line::good("reachable", format!("{} port {port}", probe.address)), certificate(row, probe)]
        }
    }
}

fn certificate(row: &endpoint::Model, probe: &Probe) -> Line {
    let (what, shown) = ("certificate", probe.fingerprint);
    match (trust(row), &probe.untrusted) {
        (Trust::Pins(pins), _) if pins.contains(&shown) => Line::good(what, format!("pinned: {shown}")),
        (Trust::Pins(pins), _) => {
            let pins = pins.iter().map(Fingerprint::to_string).collect::<Vec<_>>().join(", ");
            let accept = format!("proxbox-graphql endpoint trust {}", quoted(&row.name));
            Line::bad(what, format!("another one: {shown} is shown, {pins} is pinned; if it is right: {accept}"))
        }
        (Trust::Ca(_), _) => Line::good(what, format!("by the given authority: {shown}")),
        (Trust::System, None) => Line::good(what, format!("trusted by this system: {shown}")),
        (Trust::System, Some(why)) => Line::bad(what, format!("{why}: {shown}")),
        (Trust::Unverified, _) => Line::good(what, format!("NOT VERIFIED, pin it: {shown}")),
    }
}

/// What it says to its credentials; none when it was not asked.
pub(super) fn answered(who: &str, answer: Option<&Result<Answer, Failure>>) -> Vec<Line> {
    match answer {
        None => ANSWERED.map(Line::unknown).into(),
        Some(Err(failure)) => {
            let rest = ANSWERED[1..].iter().map(|what| Line::unknown(what));
            [Line::told("login", failure)].into_iter().chain(rest).collect()
        }
        Some(Ok(answer)) => vec![
            Line::good("login", format!("as {who}")),
            Line::good("version", format!("Proxmox VE {}", answer.version)),
            privileges(answer),
            cluster(answer),
            judged("nodes", &answer.judged.nodes, answer.judged.seen.nodes.len()),
            judged("storages", &answer.judged.storages, answer.judged.seen.storages.len()),
        ],
    }
}

fn privileges(answer: &Answer) -> Line {
    let rights = match &answer.rights {
        Ok(rights) => rights,
        Err(failure) => return Line::told("privileges", failure),
    };
    let told = |held: bool| {
        let those = rights.iter().filter(|right| right.held == held);
        those.map(|Right { path, privilege, .. }| format!("{privilege} on {path}")).collect::<Vec<_>>().join(", ")
    };
    match (told(true), told(false)) {
        (held, missing) if missing.is_empty() => Line::good("privileges", held),
        (held, missing) if held.is_empty() => Line::bad("privileges", format!("missing: {missing}")),
        (held, missing) => Line::bad("privileges", format!("missing: {missing}; found: {held}")),
    }
}

fn cluster(answer: &Answer) -> Line {
    let reason = match &answer.judged.cluster {
        Verdict::Complete => "",
        Verdict::Partial(reason) | Verdict::Failed(reason) => reason,
    };
    match &answer.judged.seen.cluster {
        Some(cluster) if cluster.formed => {
            let quorum = if cluster.quorate { "quorate" } else { "WITHOUT QUORUM" };
            let detail = format!("cluster {}, nodes: {}, {quorum}", cluster.name, cluster.nodes_count);
            if cluster.quorate { Line::good("cluster", detail) } else { Line::bad("cluster", detail) }
        }
        Some(host) => Line::good("cluster", format!("none: the standalone host {}", host.name)),
        None => Line::bad("cluster", reason),
    }
}

fn judged(what: &'static str, verdict: &Verdict, seen: usize) -> Line {
    match verdict {
        Verdict::Complete => Line::good(what, format!("all are seen: {seen}")),
        Verdict::Partial(reason) => Line::bad(what, format!("seen in part: {seen}; {reason}")),
        Verdict::Failed(reason) => Line::bad(what, reason),
    }
}

/// Prints what is to be done in Proxmox so that nothing is missing; nothing if nothing is.
pub(super) fn advise(row: &endpoint::Model, answer: &Answer) -> Result<()> {
    let Ok(rights) = &answer.rights else { return Ok(()) };
    let missing = rights.iter().filter(|right| !right.held).map(|right| right.path).collect::<Vec<_>>();
    // What is granted at the top holds below it.
    let paths = if missing.contains(&"/") { vec!["/"] } else { missing };
    if paths.is_empty() {
        return Ok(());
    }
    let token = row.token_value.is_some() || !row.token_name.is_empty();
    let mut text = String::from(
        "\nTo grant what is missing, on any node of the cluster (the role PVEAuditor has it all too; a token with\n\
         privilege separation needs it as well as its user):\n  \
         pveum role add ProxboxSync --privs 'Sys.Audit Datastore.Audit'\n",
    );
    for path in paths {
        text += &format!("  pveum acl modify {path} --users {} --roles ProxboxSync\n", quoted(&row.username));
        if token {
            text += &format!("  pveum acl modify {path} --tokens {} --roles ProxboxSync\n", quoted(&who(row)));
        }
    }
    print(&text)
}

/// Who signs in.
pub(super) fn who(row: &endpoint::Model) -> String {
    match row.token_name.as_str() {
        "" => row.username.clone(),
        name if name.contains('!') => name.to_owned(),
        name => format!("{}!{name}", row.username),
    }
}

/// As a shell takes it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
