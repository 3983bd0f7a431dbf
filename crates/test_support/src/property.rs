use std::cell::RefCell;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::Result;

/// Something that holds for whatever the strategy makes up. What it fails for is made as small as possible
/// and shown; it then deserves a test of its own.
pub fn for_all<C, S: Strategy>(
    conn: &mut C,
    cases: u32,
    values: &S,
    holds: impl Fn(&mut C, S::Value) -> Result,
) -> Result {
    let conn = RefCell::new(conn);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(values, |value| {
            holds(&mut conn.borrow_mut(), value).map_err(|error| TestCaseError::fail(error.to_string()))
        })
        .map_err(|failure| failure.to_string().into())
}
