//! The promises of the store, on asynchronous connections: the files of `tests/suite/`, which find here,
//! under the names they use, a store that awaits.
//!
//! A test is named `database::area::test`: `cargo test -p async_suite postgres::read_log` runs one area on
//! one.

#[macro_use(tests)]
extern crate async_suite as test_support;
extern crate async_suite as diesel_event_store;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use test_support::{AsyncMysql, AsyncPostgres, AsyncSqlite, Result, TestDatabase};

/// A behaviour, and the tests of it for one database.
type Area = (&'static str, Vec<(&'static str, fn() -> Result)>);

macro_rules! areas {
    ($database:ident: $($area:ident),+ $(,)?) => {
        vec![$((stringify!($area), $area::tests::<$database>())),+]
    };
}

#[path = "../../../tests/suite/aggregates/mod.rs"]
mod aggregates;
#[path = "../../../tests/suite/append.rs"]
mod append;
#[path = "../../../tests/suite/append_only.rs"]
mod append_only;
#[path = "../../../tests/suite/bad_input.rs"]
mod bad_input;
#[path = "../../../tests/suite/batches.rs"]
mod batches;
#[path = "../../../tests/suite/check_log.rs"]
mod check_log;
#[path = "../../../tests/suite/checkpoints.rs"]
mod checkpoints;
#[path = "../../../tests/suite/concurrency.rs"]
mod concurrency;
#[path = "../../../tests/suite/ended.rs"]
mod ended;
#[path = "../../../tests/suite/expected_version.rs"]
mod expected_version;
#[path = "../../../tests/suite/fidelity.rs"]
mod fidelity;
#[path = "../../../tests/suite/housekeeping.rs"]
mod housekeeping;
#[path = "../../../tests/suite/keys.rs"]
mod keys;
#[path = "../../../tests/suite/migrations.rs"]
mod migrations;
#[path = "../../../tests/suite/missing_migrations.rs"]
mod missing_migrations;
#[path = "../../../tests/suite/model.rs"]
mod model;
#[path = "../../../tests/suite/properties.rs"]
mod properties;
#[path = "../../../tests/suite/read_event.rs"]
mod read_event;
#[path = "../../../tests/suite/read_log.rs"]
mod read_log;
#[path = "../../../tests/suite/read_stream.rs"]
mod read_stream;
#[path = "../../../tests/suite/repair.rs"]
mod repair;
#[path = "../../../tests/suite/tenants.rs"]
mod tenants;
#[path = "../../../tests/suite/transactions.rs"]
mod transactions;
#[path = "../../../tests/suite/version.rs"]
mod version;
#[path = "../../../tests/suite/write_transaction.rs"]
mod write_transaction;

fn main() -> ExitCode {
    let servers = all::<AsyncPostgres>("postgres").chain(all::<AsyncMysql>("mysql"));
    let trials = all::<AsyncSqlite>("sqlite").chain(servers).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn all<D: TestDatabase>(database: &'static str) -> impl Iterator<Item = Trial> {
    let mut store = store::<D>();
    for (_, tests) in &mut store {
        tests.retain(|(test, _)| !test.starts_with(OF_A_PANIC));
    }
    named(database.to_owned(), store).chain(named(format!("{database}::aggregates"), aggregates::all::<D>()))
}

fn store<D: TestDatabase>() -> Vec<Area> {
    areas! {
        D: append, append_only, bad_input, batches, check_log, checkpoints, concurrency, ended, expected_version,
        fidelity, keys, migrations, missing_migrations, model, properties, read_event, read_log, read_stream,
        repair, tenants, transactions, version, write_transaction,
    }
}

/// The tests of what a panic rolls back. Here it leaves no time to await a ROLLBACK: the connection is given
/// up. Decisions may panic.
const OF_A_PANIC: &str = "a_panic_";

fn named(kind: String, areas: Vec<Area>) -> impl Iterator<Item = Trial> {
    let tests = areas.into_iter().flat_map(|(area, tests)| tests.into_iter().map(move |test| (area, test)));
    tests.map(move |(area, (test, run))| Trial::test(format!("{kind}::{area}::{test}"), move || Ok(run()?)))
}
