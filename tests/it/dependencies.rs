//! What the tree of dependencies must not hold: read from `Cargo.lock` and `deny.toml`, so that it needs no download.
//! `cargo deny check` holds the same, and licences and advisories besides.
use std::collections::{BTreeMap, BTreeSet};

const LOCK: &str = include_str!("../../Cargo.lock");
const DENY: &str = include_str!("../../deny.toml");

/// Older versions that are in the lock file and in no build: of other systems, or of features that nobody switches on.
const NOT_BUILT: [(&str, &str); 9] = [
    ("atoi", "2"),            // the newer one is of arrow, of a feature of sea-orm
    ("num-bigint", "0.4"),    // bigdecimal, of a feature of sea-orm
    ("r-efi", "5"),           // getrandom on UEFI
    ("rand", "0.8"),          // rust_decimal, of a feature of sea-orm
    ("rand_chacha", "0.3"),   // the same
    ("rand_core", "0.6"),     // the same
    ("sha1", "0.10"),         // the newer one is of sqlx-mysql
    ("synstructure", "0.13"), // x509-parser, of a feature of rcgen
    ("windows-sys", "0.52"),  // ring on Windows
];

/// The value of a key in a piece of TOML: `name = "value"`.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.split(&format!("{key} = \"")).nth(1)?.split('"').next()
}

/// The versions of each crate in the lock file, and where they come from.
fn locked() -> BTreeMap<&'static str, BTreeMap<&'static str, Option<&'static str>>> {
    let mut crates: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for package in LOCK.split("[[package]]").skip(1) {
        let (name, version) = (value(package, "\nname").unwrap(), value(package, "\nversion").unwrap());
        crates.entry(name).or_default().insert(version, value(package, "\nsource"));
    }
    crates
}

/// The entries of a list in `deny.toml`, a line each.
fn list(name: &str) -> Vec<&'static str> {
    let (_, rest) = DENY.split_once(&format!("\n{name} = [\n")).unwrap_or_else(|| panic!("no list {name}"));
    let lines = rest.split_once("\n]").unwrap().0.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

#[test]
fn nothing_that_is_banned_is_there() {
    let crates = locked();
    let banned = list("deny").into_iter().map(|entry| value(entry, "crate").unwrap()).collect::<BTreeSet<_>>();
    for must in ["openssl", "openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys"] {
        assert!(banned.contains(must), "{must}");
    }
    let found = crates.keys().filter(|name| banned.contains(*name)).collect::<Vec<_>>();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn what_is_there_twice_is_justified() {
    let mut justified: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, version) in NOT_BUILT {
        justified.entry(name).or_default().insert(version);
    }
    for entry in list("skip") {
        let (name, version) = value(entry, "crate").and_then(|entry| entry.split_once('@')).expect(entry);
        assert!(value(entry, "reason").is_some_and(|reason| reason.len() >= 4), "no reason: {entry}");
        justified.entry(name).or_default().insert(version);
    }
    for (name, versions) in locked() {
        let skipped = justified.remove(name).unwrap_or_default();
        // `0.22` stands for all versions that are compatible with it.
        let is = |version: &str, skip: &str| version.strip_prefix(skip).is_some_and(|rest| rest.starts_with('.'));
        let stay = versions.keys().filter(|version| !skipped.iter().any(|skip| is(version, skip)));
        assert_eq!(stay.count(), 1, "{name}: {:?}, of which {skipped:?} are justified", versions.keys());
        for skip in skipped {
            assert!(versions.keys().any(|version| is(version, skip)), "{name} {skip} is justified, and not there");
        }
    }
    assert!(justified.is_empty(), "what is justified is not there: {justified:?}");
}

#[test]
fn everything_comes_from_crates_io() {
    const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";
    let mut own = Vec::new();
    for (name, versions) in locked() {
        for source in versions.values() {
            match source {
                Some(source) => assert_eq!(*source, CRATES_IO, "{name}"),
                None => own.push(name),
            }
        }
    }
    assert_eq!(own, ["bench", "migration", "proxbox-graphql"]);
    for rule in ["unknown-registry = \"deny\"", "unknown-git = \"deny\"", "multiple-versions = \"deny\""] {
        assert!(DENY.contains(rule), "{rule}");
    }
}
