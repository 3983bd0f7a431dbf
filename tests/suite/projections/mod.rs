//! Read models that never miss an event and never apply one twice.

use test_support::TestDatabase;

pub mod application_errors;
pub mod bad_input;
pub mod catch_up;
pub mod failures;
pub mod inline;
pub mod leases;
pub mod operating;
pub mod parking;
pub mod partitions;
pub mod promoting;
pub mod restored;
pub mod runner;
pub mod several_runners;
pub mod starting;
pub mod transactions;
pub mod waiting;

mod application;
mod checkpoint;
mod housekeeping;
mod script;

pub use application::{NAME, append, application, applied, insert, name_of, runner, users};
pub use checkpoint::{reached, set, states, status};
pub use script::{Fault, Script};

/// Everything about projections.
pub fn all<D: TestDatabase>() -> Vec<super::Area> {
    areas! { D: application_errors, catch_up, transactions, inline, failures, parking, leases, operating, promoting, starting, waiting, restored, partitions, runner, several_runners, bad_input }
}
