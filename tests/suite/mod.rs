//! What is promised, one behaviour per file. Each file lists its own tests; one that is not listed is dead
//! code, which the compiler reports.

#[cfg(feature = "r2d2")]
use diesel_event_store::projection::Runs;
#[cfg(feature = "r2d2")]
use test_support::InAPool;
use test_support::{Result, TestDatabase};

/// A behaviour, and the tests of it for one database.
pub type Area = (&'static str, Tests);

pub type Tests = Vec<(&'static str, fn() -> Result)>;

macro_rules! areas {
    ($database:ty: $($area:path),+ $(,)?) => {
        vec![$((stringify!($area), {
            use $area as area;
            area::tests::<$database>()
        })),+]
    };
}

#[cfg(feature = "derive")]
pub mod aggregates;
pub mod append;
pub mod append_only;
pub mod bad_input;
pub mod batches;
pub mod check_log;
pub mod checkpoints;
pub mod concurrency;
pub mod documented_sql;
pub mod ended;
pub mod expected_version;
pub mod fidelity;
pub mod freezing;
mod housekeeping;
pub mod keys;
pub mod migrations;
pub mod missing_migrations;
pub mod model;
pub mod projections;
pub mod properties;
pub mod read_event;
pub mod read_log;
pub mod read_stream;
pub mod repair;
pub mod sealing;
pub mod tenants;
pub mod transactions;
#[cfg(feature = "transfer")]
pub mod transfer;
pub mod verifying;
pub mod version;
pub mod write_transaction;

/// Everything but projections.
pub fn store<D: TestDatabase>() -> Vec<Area> {
    areas! { D: append, batches, keys, expected_version, transactions, write_transaction, ended, concurrency, read_stream, read_log, read_event, check_log, version, checkpoints, append_only, bad_input, documented_sql, fidelity, freezing, migrations, missing_migrations, model, properties, repair, sealing, tenants, verifying }
}

/// A log that moves.
#[cfg(feature = "transfer")]
pub fn moves<D: TestDatabase>() -> Vec<Area> {
    let areas = areas! {
        D: transfer::archiving, transfer::round_trip, transfer::goes_on, transfer::files,
        transfer::into_events, transfer::discarding, transfer::new_events, transfer::reclaiming, transfer::edited
    };
    #[cfg(feature = "derive")]
    let areas = [areas, areas! { D: transfer::archived_aggregates }].concat();
    areas
}

/// A log that moves from one database to another, while it is in use.
#[cfg(feature = "transfer")]
pub fn moves_to<S: TestDatabase, T: TestDatabase>() -> Vec<Area> {
    vec![
        ("copying", transfer::copying::tests::<S, T>()),
        ("copy_control", transfer::copy_control::tests::<S, T>()),
        ("copy_again", transfer::copy_again::tests::<S, T>()),
    ]
}

/// What depends on how positions are given out, or on the isolation level of the connection.
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub fn of_an_ordering<D: TestDatabase>() -> Vec<Area> {
    areas! { D: append, batches, keys, expected_version, transactions, concurrency, read_log, model }
}

/// What depends on the kind of connection that is lent: a pooled one, or an application's enum.
pub fn of_a_connection<D: TestDatabase>() -> Vec<Area> {
    areas! { D: append, transactions, write_transaction, checkpoints, migrations, projections::transactions, projections::runner }
}

/// The same of a pool, and what fits its connections.
#[cfg(feature = "r2d2")]
pub fn of_a_pool<D>() -> Vec<Area>
where
    D: test_support::PoolDatabase,
    <InAPool<D> as TestDatabase>::Conn: Runs<D::Conn>,
{
    let mut areas = of_a_connection::<InAPool<D>>();
    areas.push(("projections::pooled", projections::pooled::tests::<D>()));
    areas
}
