//! Properties: whatever the rows and whatever the question, the answer is the one that plain code over the rows gives.
//!
//! `PROXBOX_TEST_CASES` sets how many cases a property tries. The cases are the same in every run, unless
//! `PROPTEST_RNG_SEED` names another seed. A failure prints the smallest case found that fails, and what differs.
mod constraint;
mod cost;
pub mod data;
mod feed;
mod figures;
mod filters;
mod graphql;
mod hostile;
mod limits;
mod memory;
mod oracle;
mod paging;
pub mod questions;
mod robust;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use tokio::runtime::Handle;

/// What a case says: nothing, or why the property does not hold.
pub type Verdict = Result<(), TestCaseError>;

/// How many cases a property tries, when `moderate` is enough in a usual run.
pub fn cases(moderate: u32) -> u32 {
    let wanted =
        std::env::var("PROXBOX_TEST_CASES").ok().map(|text| text.parse().expect("PROXBOX_TEST_CASES: a number"));
    wanted.unwrap_or(moderate)
}

pub fn runner(cases: u32) -> TestRunner {
    let mut config = Config { cases, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(8006);
    }
    TestRunner::new(config)
}

/// Tries a property on random values.
#[track_caller]
pub fn hold<S: Strategy>(cases: u32, values: S, property: impl AsyncFn(S::Value) -> Verdict) {
    let tried =
        runner(cases).run(&values, |value| tokio::task::block_in_place(|| Handle::current().block_on(property(value))));
    if let Err(error) = tried {
        panic!("{error}");
    }
}

/// One value of a strategy, always the same.
pub fn one<S: Strategy>(values: S) -> S::Value {
    values.new_tree(&mut runner(1)).unwrap().current()
}

/// Fails a case unless two things are equal; tells what they are.
pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Verdict {
    if found == wanted {
        return Ok(());
    }
    Err(TestCaseError::fail(format!("{what}\n  found  {found:?}\n  wanted {wanted:?}\n")))
}
