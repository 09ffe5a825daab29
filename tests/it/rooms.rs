//! Who may import whom: the house rules, held against the paths in the sources.
use std::collections::BTreeSet;
use std::path::Path;

/// A room and the rooms that it may import; `error` is open to all.
const ALLOWED: &[(&str, &[&str])] = &[
    ("main", &["cli", "telemetry"]),
    (
        "cli",
        &[
            "app",
            "client",
            "config",
            "db",
            "entity",
            "graphql",
            "plugin",
            "mirror",
            "principal",
            "secret",
            "server",
            "service",
            "sync",
            "telemetry",
        ],
    ),
    ("config", &["app", "client", "db", "graphql", "rate", "rest", "secret", "server", "telemetry"]),
    (
        "server",
        &["app", "auth", "body", "entity", "graphql", "metrics", "mirror", "rest", "service", "telemetry", "web"],
    ),
    (
        "graphql",
        &["app", "auth", "body", "entity", "event", "filter", "mirror", "page", "principal", "service", "sync"],
    ),
    ("rest", &["app", "auth", "body", "db", "entity", "filter", "page", "principal", "service", "sync"]),
    ("sync", &["app", "client", "entity", "service"]),
    ("plugin", &["app", "client", "entity", "service"]),
    ("mirror", &["app", "client", "entity", "service"]),
    ("app", &["client", "db", "entity", "event", "metrics", "principal", "rate", "secret", "service"]),
    ("service", &["client", "db", "entity", "event", "filter", "page", "principal", "secret"]),
    ("auth", &["app", "entity", "metrics", "principal", "rate", "service"]),
    ("principal", &["filter", "entity"]),
    ("page", &["entity"]),
    ("db", &["filter"]),
    ("filter", &["entity"]),
    ("event", &["entity"]),
    ("metrics", &[]),
    ("body", &[]),
    ("rate", &[]),
    ("secret", &[]),
    ("telemetry", &[]),
    ("client", &[]),
    ("web", &[]),
    ("entity", &[]),
    ("error", &[]),
];

/// The text without comments and without what only tests compile; both may name what they like.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The rooms that the text reaches into: behind each `crate::`, one name or several in braces.
fn imports(text: &str) -> BTreeSet<String> {
    let name =
        |text: &str| text.trim_start().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned();
    let mut found = BTreeSet::new();
    let own = text.replace("proxbox_graphql::", "crate::");
    for path in own.split("crate::").skip(1) {
        let Some(list) = path.strip_prefix('{') else {
            found.insert(name(path));
            continue;
        };
        let (mut depth, mut start) = (0, true);
        for (i, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                _ if start && !c.is_whitespace() => {
                    found.insert(name(&list[i..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    found
}

fn sources(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn rooms_import_only_whom_they_may() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let path = file.strip_prefix(&src).unwrap();
        let first = path.iter().next().unwrap().to_str().unwrap();
        let room = first.trim_end_matches(".rs");
        if room == "lib" {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == room) else {
            wrong.push(format!("{room} is a room without a rule"));
            continue;
        };
        for import in imports(&code(&std::fs::read_to_string(&file).unwrap())) {
            if import != room && import != "error" && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{}: {room} must not import {import}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The table above is what future rooms are held to; these two rules must not get lost in it.
#[test]
fn graphql_and_rest_stay_apart_and_entity_stays_alone() {
    let allowed = |room| ALLOWED.iter().find(|(name, _)| *name == room).unwrap().1;
    assert!(!allowed("graphql").contains(&"rest") && !allowed("rest").contains(&"graphql"));
    assert!(allowed("entity").is_empty());
}

#[test]
fn imports_are_found_in_every_form() {
    let text = "use crate::a::B; use crate::{c, d::{E, f}, g as h}; fn x() { $crate::i::j(crate::k::L) } // crate::m";
    assert_eq!(imports(&code(text)).iter().map(String::as_str).collect::<Vec<_>>(), ["a", "c", "d", "g", "i", "k"]);
}
