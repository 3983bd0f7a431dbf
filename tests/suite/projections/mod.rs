//! Read models that never miss an event and never apply one twice.

use test_support::TestDatabase;

pub mod application_errors;
pub mod bad_input;
pub mod catch_up;
pub mod failures;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub mod hanging;
pub mod inline;
pub mod leases;
pub mod operating;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub mod overtaken;
pub mod parking;
pub mod partitions;
#[cfg(feature = "r2d2")]
pub mod pooled;
pub mod promoting;
pub mod read_anew;
pub mod restored;
pub mod rolling;
pub mod runner;
pub mod several_runners;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub mod shared_rows;
pub mod starting;
pub mod tenants;
pub mod transactions;
pub mod troubles;
#[cfg(feature = "derive")]
pub mod typed;
pub mod waiting;

mod application;
mod checkpoint;
mod script;

pub use application::{NAME, append, application, applied, insert, name_of, runner, users};
pub use checkpoint::{reached, set, states, status};
pub use script::{Fault, Script};

/// Everything about projections.
pub fn all<D: TestDatabase>() -> Vec<super::Area> {
    let areas = areas! { D: application_errors, catch_up, transactions, inline, failures, parking, leases, operating, promoting, read_anew, starting, tenants, waiting, restored, partitions, runner, several_runners, troubles, rolling, bad_input };
    #[cfg(feature = "derive")]
    let areas = [areas, areas! { D: typed }].concat();
    areas
}

/// What can only happen where several transactions write at the same time.
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub fn beside_other_writers<D: TestDatabase>() -> Vec<super::Area> {
    areas! { D: hanging, overtaken, shared_rows }
}
