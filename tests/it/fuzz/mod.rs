//! Inputs that are made of good and bad ones: what stands in `tests/corpus`, cut, joined, repeated and with bits turned.
//! None makes the program panic, hang or answer with an internal error, and what must hold for every input holds.
//!
//! A few hundred inputs a target, the same in every run; with `PROXBOX_TEST_LONG=1` others for a minute each. What is
//! found is kept as a file of the corpus.
mod cursor;
mod doors;
mod limits;
mod proxmox;

use crate::property::{Verdict, cases, hold, runner};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// What one input may take, however slow the machine is.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a target is tried in the long run.
const LONG: Duration = Duration::from_secs(60);

/// Pieces that mean something somewhere: to JSON, GraphQL, query strings, headers and numbers.
const PIECES: [&[u8]; 52] = [
    b"\0",
    b"\n",
    b"\r\n",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"'",
    b"{",
    b"}",
    b"[",
    b"]",
    b"(",
    b")",
    b":",
    b",",
    b"&",
    b"=",
    b"#",
    b"%",
    b"%00",
    b"%ff",
    b"+",
    b".",
    b"..",
    b"...",
    b"@",
    b"$a",
    b"!",
    b"|",
    b"-",
    b"-1",
    b"0",
    b"1e999",
    b"NaN",
    b"99999999999999999999",
    b"2147483648",
    b"null",
    b"true",
    b"[[[[[[[[",
    b"{\"a\":",
    b"\"\"\"",
    b"__typename",
    b"__regex",
    b"__n",
    b"on ",
    b"fragment ",
    b"nbt_",
    b"Bearer ",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    "İß\u{202e}e\u{301}".as_bytes(),
];

/// A change of an input.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Put(Index, &'static [u8]),
    Cut(Index, usize),
    Repeat(Index, usize, usize),
    Splice(Index, Index, Vec<u8>),
    Truncate(Index),
}

fn change(corpus: Vec<Vec<u8>>) -> BoxedStrategy<Change> {
    let at = any::<Index>;
    prop_oneof![
        3 => (at(), 0..8u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        4 => (at(), select(PIECES.to_vec())).prop_map(|(at, piece)| Change::Put(at, piece)),
        2 => (at(), 1..20usize).prop_map(|(at, length)| Change::Cut(at, length)),
        2 => (at(), 1..30usize, 2..60usize).prop_map(|(at, length, times)| Change::Repeat(at, length, times)),
        2 => (at(), at(), select(corpus)).prop_map(|(at, from, other)| Change::Splice(at, from, other)),
        1 => at().prop_map(Change::Truncate),
    ]
    .boxed()
}

impl Change {
    fn to(self, mut bytes: Vec<u8>) -> Vec<u8> {
        let place = |at: &Index| at.index(bytes.len() + 1);
        match self {
            Self::Flip(at, bit) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            Self::Flip(..) => {}
            Self::Put(at, piece) => {
                let at = place(&at);
                bytes.splice(at..at, piece.iter().copied());
            }
            Self::Cut(at, length) => {
                let at = place(&at);
                bytes.drain(at..bytes.len().min(at + length));
            }
            Self::Repeat(at, length, times) => {
                let at = place(&at);
                let part = bytes[at..bytes.len().min(at + length)].repeat(times);
                bytes.splice(at..at, part);
            }
            Self::Splice(at, from, other) => {
                let at = place(&at);
                bytes.truncate(at);
                bytes.extend(&other[from.index(other.len() + 1)..]);
            }
            Self::Truncate(at) => bytes.truncate(place(&at)),
        }
        bytes
    }
}

/// The files of a target's corpus, in the order of their names.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(target);
    let mut files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    files.sort();
    assert!(files.len() >= 5, "{target}: {files:?}");
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// Tries every file of the corpus as it is, and then so many inputs that are made of them.
#[track_caller]
fn attack(target: &str, tries: u32, property: impl AsyncFn(Vec<u8>) -> Verdict) {
    let corpus = corpus(target);
    let timed = async |input: Vec<u8>| {
        let (begun, shown) = (Instant::now(), input.escape_ascii().to_string());
        let verdict = property(input).await;
        let verdict = verdict.map_err(|error| TestCaseError::fail(format!("{target}: b\"{shown}\": {error}")));
        if begun.elapsed() > PATIENCE {
            return Err(TestCaseError::fail(format!("{target}: b\"{shown}\" took {:?}", begun.elapsed())));
        }
        verdict
    };
    for input in &corpus {
        let tried = tokio::task::block_in_place(|| Handle::current().block_on(timed(input.clone())));
        tried.unwrap_or_else(|error| panic!("{error}"));
    }
    let made = (select(corpus.clone()), vec(change(corpus), 1..7));
    let made = made.prop_map(|(input, changes)| changes.into_iter().fold(input, |input, change| change.to(input)));
    if std::env::var_os("PROXBOX_TEST_LONG").is_none() {
        return hold(cases(tries), made, timed);
    }
    let (begun, mut tried) = (Instant::now(), 0);
    while begun.elapsed() < LONG {
        let mut runner = TestRunner::new(Config { cases: tries, failure_persistence: None, ..Config::default() });
        let result =
            runner.run(&made, |input| tokio::task::block_in_place(|| Handle::current().block_on(timed(input))));
        result.unwrap_or_else(|error| panic!("{error}"));
        tried += tries;
    }
    println!("{target}: {tried} inputs in {:.0?}", begun.elapsed());
}

/// Runs a test that needs no database.
fn alone(test: impl Future<Output = ()>) {
    // As large a stack as the program's.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).thread_stack_size(8 << 20).enable_all().build().unwrap();
    runtime.block_on(test);
}

#[test]
fn changes_stay_within_an_input() {
    let changes = vec(change(vec![b"ab".to_vec(), Vec::new()]), 0..9);
    let tried = runner(500).run(&changes, |changes| {
        changes.into_iter().fold(b"abc".to_vec(), |input, change| change.to(input));
        Ok(())
    });
    tried.unwrap();
}
