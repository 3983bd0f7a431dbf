//! What projections promise, with real processes that apply them: they are killed, suspended, share
//! partitions and take over from each other, while events are appended and servers are killed.
//!
//! The test program starts itself again as those processes; see `worker`. `KILLS` says how often something is
//! killed.

use std::env;
use std::process::ExitCode;

use libtest_mimic::Trial;

mod projections {
    pub mod accounts;
    pub mod apply;
    pub mod client;
    pub mod crew;
    pub mod exactly_once;
    pub mod load;
    pub mod order;
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub mod server_killed;
    pub mod suspended;
}
use projections::client::Client;
#[cfg(any(feature = "postgres", feature = "mysql"))]
use projections::server_killed;
use projections::{apply, exactly_once, order, suspended};
use test_support::{TestDatabase, worker};

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    if arguments.next().as_deref() == Some(worker::ARGUMENT) {
        let jobs: [worker::Job; 2] = [("apply", apply::apply), ("linger", suspended::linger)];
        worker::run(&jobs, &arguments.collect::<Vec<_>>());
        return ExitCode::SUCCESS;
    }
    let mut trials = Vec::new();
    #[cfg(feature = "sqlite")]
    {
        trials.extend(on::<test_support::Sqlite>("sqlite"));
        let test = suspended::with_the_write_lock;
        trials.push(trial("sqlite", "a_process_suspended_with_the_write_lock_loses_nothing", test));
    }
    #[cfg(feature = "postgres")]
    {
        trials.extend(on_server::<test_support::Postgres>("postgres"));
        trials.push(trial("postgres", SERVER_KILLED, || {
            server_killed::each_event_once::<diesel::PgConnection>("postgres")
        }));
    }
    #[cfg(feature = "mysql")]
    {
        trials.extend(on_server::<test_support::Mysql>("mysql"));
        trials.push(trial("mysql", SERVER_KILLED, || {
            server_killed::each_event_once::<diesel::MysqlConnection>("mariadb")
        }));
    }
    libtest_mimic::run(&libtest_mimic::Arguments::from_args(), trials).exit_code()
}

fn on<D: TestDatabase<Conn: Client>>(database: &str) -> Vec<Trial> {
    let tests = [
        ("one_process_that_is_killed_applies_each_event_once", exactly_once::one_process::<D> as Test),
        ("four_processes_that_are_killed_apply_each_event_once", exactly_once::four_processes::<D>),
        ("partitions_that_are_changed_often_lose_nothing", exactly_once::partitions_are_changed_often::<D>),
        ("events_that_were_parked_keep_the_order_of_their_aggregate", order::with_parked_events::<D>),
        ("a_process_suspended_between_batches_writes_nothing_more", suspended::between_batches::<D>),
    ];
    tests.map(|(name, test)| trial(database, name, test)).into()
}

/// Where transactions do not wait for each other, unless they need the same rows.
#[cfg(any(feature = "postgres", feature = "mysql"))]
fn on_server<D: TestDatabase<Conn: Client>>(database: &str) -> Vec<Trial> {
    let tests = [
        ("a_process_suspended_in_a_batch_writes_nothing_more", suspended::in_a_batch::<D> as Test),
        ("a_process_suspended_with_locks_writes_nothing_more", suspended::with_locks::<D>),
    ];
    on::<D>(database).into_iter().chain(tests.map(|(name, test)| trial(database, name, test))).collect()
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
const SERVER_KILLED: &str = "when_the_server_is_killed_each_event_is_applied_once";

type Test = fn() -> test_support::Result;

fn trial(database: &str, name: &str, test: Test) -> Trial {
    Trial::test(format!("{database}::{name}"), move || Ok(test()?))
}
