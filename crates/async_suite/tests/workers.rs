//! Processes that apply one projection with both kinds of runners at once. They are killed, and within them
//! runtimes are cut off, while events are appended and partitions change: the files of `tests/projections/`,
//! with another job for their processes.

extern crate real as diesel_event_store;
extern crate support as test_support;

use std::env;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use test_support::{Mysql, Postgres, Sqlite, TestDatabase, worker};

#[path = "../../../tests/projections/accounts.rs"]
mod accounts;
#[path = "workers/apply.rs"]
mod apply;
#[path = "../../../tests/projections/client.rs"]
mod client;
#[path = "../../../tests/projections/crew.rs"]
mod crew;
#[path = "../../../tests/projections/exactly_once.rs"]
mod exactly_once;
#[path = "../../../tests/projections/load.rs"]
mod load;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    if arguments.next().as_deref() == Some(worker::ARGUMENT) {
        worker::run(&[("apply", apply::apply)], &arguments.collect::<Vec<_>>());
        return ExitCode::SUCCESS;
    }
    let servers = on::<Postgres>("postgres").into_iter().chain(on::<Mysql>("mysql"));
    let trials = on::<Sqlite>("sqlite").into_iter().chain(servers).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn on<D: TestDatabase<Conn: client::Client>>(database: &str) -> [Trial; 3] {
    let tests = [
        ("one_process_that_is_killed_applies_each_event_once", exactly_once::one_process::<D> as Test),
        ("four_processes_that_are_killed_apply_each_event_once", exactly_once::four_processes::<D>),
        ("partitions_that_are_changed_often_lose_nothing", exactly_once::partitions_are_changed_often::<D>),
    ];
    tests.map(|(name, test)| Trial::test(format!("{database}::{name}"), move || Ok(test()?)))
}

type Test = fn() -> test_support::Result;
