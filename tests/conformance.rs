//! One suite that proves the promises on every database. Behaviours run once on each database; through every
//! kind of connection runs only what depends on that kind.
//!
//! A test is named `database::area::test`: `cargo test --test conformance postgres::read_log` runs one area
//! on one.

#[macro_use(tests)]
extern crate test_support;

mod suite;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
#[cfg(feature = "derive")]
use suite::aggregates;
#[cfg(feature = "r2d2")]
use suite::of_a_pool;
#[cfg(any(feature = "postgres", feature = "mysql"))]
use suite::of_an_ordering;
use suite::{Area, of_a_connection, projections, store};
#[cfg(feature = "transfer")]
use suite::{moves, moves_to};
#[cfg(any(feature = "postgres", feature = "mysql"))]
use test_support::Gapless;
use test_support::InAnEnum;
#[cfg(feature = "postgres")]
use test_support::Postgres;
#[cfg(feature = "sqlite")]
use test_support::Sqlite;
#[cfg(feature = "mysql")]
use test_support::{Mysql, ReadCommitted};

fn main() -> ExitCode {
    let mut trials = Vec::new();
    #[cfg(feature = "sqlite")]
    trials.extend(sqlite());
    #[cfg(feature = "postgres")]
    trials.extend(postgres());
    #[cfg(feature = "mysql")]
    trials.extend(mysql());
    #[cfg(feature = "transfer")]
    trials.extend(pairs());
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

#[cfg(feature = "sqlite")]
fn sqlite() -> Vec<Trial> {
    let mut trials = everything("sqlite", store::<Sqlite>(), projections::all::<Sqlite>());
    #[cfg(feature = "derive")]
    trials.extend(named("sqlite::aggregates", aggregates::all::<Sqlite>()));
    #[cfg(feature = "transfer")]
    trials.extend(named("sqlite", moves::<Sqlite>()));
    trials.extend(named("sqlite_in_an_enum", of_a_connection::<InAnEnum<Sqlite>>()));
    #[cfg(feature = "r2d2")]
    trials.extend(named("sqlite_in_a_pool", of_a_pool::<Sqlite>()));
    trials
}

#[cfg(feature = "postgres")]
fn postgres() -> Vec<Trial> {
    let mut trials = everything("postgres", store::<Postgres>(), projections::all::<Postgres>());
    #[cfg(feature = "derive")]
    trials.extend(named("postgres::aggregates", aggregates::all::<Postgres>()));
    #[cfg(feature = "transfer")]
    trials.extend(named("postgres", moves::<Postgres>()));
    trials.extend(named("postgres::projections", projections::beside_other_writers::<Postgres>()));
    trials.extend(named("postgres_gapless", of_an_ordering::<Gapless<Postgres>>()));
    trials.extend(named("postgres_in_an_enum", of_a_connection::<InAnEnum<Postgres>>()));
    #[cfg(feature = "r2d2")]
    trials.extend(named("postgres_in_a_pool", of_a_pool::<Postgres>()));
    trials
}

#[cfg(feature = "mysql")]
fn mysql() -> Vec<Trial> {
    let mut trials = everything("mysql", store::<Mysql>(), projections::all::<Mysql>());
    #[cfg(feature = "derive")]
    trials.extend(named("mysql::aggregates", aggregates::all::<Mysql>()));
    #[cfg(feature = "transfer")]
    trials.extend(named("mysql", moves::<Mysql>()));
    trials.extend(named("mysql::projections", projections::beside_other_writers::<Mysql>()));
    trials.extend(named("mysql_gapless", of_an_ordering::<Gapless<Mysql>>()));
    trials.extend(named("mysql_read_committed", of_an_ordering::<ReadCommitted>()));
    trials.extend(named("mysql_read_committed", of_a_connection::<ReadCommitted>()));
    trials.extend(named("mysql_in_an_enum", of_a_connection::<InAnEnum<Mysql>>()));
    #[cfg(feature = "r2d2")]
    trials.extend(named("mysql_in_a_pool", of_a_pool::<Mysql>()));
    trials
}

/// From each database to each. What needs both servers says so, because a stage of the tests may have only one.
#[cfg(feature = "transfer")]
fn pairs() -> Vec<Trial> {
    let mut trials = Vec::new();
    #[cfg(feature = "sqlite")]
    trials.extend(named("sqlite_to_sqlite", moves_to::<Sqlite, Sqlite>()));
    #[cfg(feature = "postgres")]
    trials.extend(named("postgres_to_postgres", moves_to::<Postgres, Postgres>()));
    #[cfg(feature = "mysql")]
    trials.extend(named("mysql_to_mysql", moves_to::<Mysql, Mysql>()));
    #[cfg(all(feature = "sqlite", feature = "postgres"))]
    {
        trials.extend(named("sqlite_to_postgres", moves_to::<Sqlite, Postgres>()));
        trials.extend(named("postgres_to_sqlite", moves_to::<Postgres, Sqlite>()));
    }
    #[cfg(all(feature = "sqlite", feature = "mysql"))]
    {
        trials.extend(named("sqlite_to_mysql", moves_to::<Sqlite, Mysql>()));
        trials.extend(named("mysql_to_sqlite", moves_to::<Mysql, Sqlite>()));
    }
    #[cfg(all(feature = "postgres", feature = "mysql"))]
    {
        trials.extend(named("between_servers::there", moves_to::<Postgres, Mysql>()));
        trials.extend(named("between_servers::back", moves_to::<Mysql, Postgres>()));
    }
    trials
}

fn everything(database: &str, store: Vec<Area>, projections: Vec<Area>) -> Vec<Trial> {
    let mut trials = named(database, store);
    trials.extend(named(&format!("{database}::projections"), projections));
    trials
}

fn named(kind: &str, areas: Vec<Area>) -> Vec<Trial> {
    let tests = areas.into_iter().flat_map(|(area, tests)| tests.into_iter().map(move |test| (area, test)));
    tests
        .map(|(area, (test, run))| {
            let area = area.replace(' ', "");
            Trial::test(format!("{kind}::{area}::{test}"), move || Ok(run()?))
        })
        .collect()
}
