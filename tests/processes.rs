//! What processes do to each other's database: they start at once, append at once, read while others write,
//! and are killed.
//!
//! The test program starts itself again as those processes; see `worker`.

use std::env;
use std::process::ExitCode;

mod processes {
    pub mod contention;
    pub mod crash;
    pub mod database;
    #[cfg(feature = "transfer")]
    pub mod import;
    pub mod start_up;
    pub mod threads;
    pub mod writer;
}
#[cfg(feature = "transfer")]
use processes::import;
use processes::{contention, crash, start_up, threads, writer};
use test_support::worker;

const JOBS: &[worker::Job] = &[
    ("start_up", start_up::start),
    ("append", crash::append),
    ("order", crash::order),
    ("compete", contention::compete),
    ("tail", contention::tail),
    ("group", writer::group),
    ("count", writer::count),
    ("run_projections", threads::run_projections),
    #[cfg(feature = "transfer")]
    ("import", import::import_and_wait),
];

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    if arguments.next().as_deref() == Some(worker::ARGUMENT) {
        worker::run(JOBS, &arguments.collect::<Vec<_>>());
        return ExitCode::SUCCESS;
    }
    let trials: &[(&str, fn())] = &[
        ("eight_processes_start_on_a_fresh_file_at_once", start_up::eight_at_once),
        ("a_killed_process_loses_nothing_it_was_told_is_recorded", crash::nothing_acknowledged_is_lost),
        ("a_killed_process_leaves_an_order_with_its_event_or_neither", crash::order_and_event_or_neither),
        ("of_those_that_expect_the_same_version_one_wins", contention::with_exact),
        ("those_that_expect_any_version_all_win", contention::with_any),
        (
            "a_killed_process_loses_nothing_its_writer_said_is_recorded",
            writer::nothing_acknowledged_by_a_writer_is_lost,
        ),
        ("a_runner_without_threads_is_refused", threads::a_runner_without_threads_is_refused),
        ("several_processes_may_each_have_a_writer", writer::a_writer_in_each_of_several_processes),
        #[cfg(feature = "transfer")]
        ("a_killed_import_goes_on", import::a_killed_import_goes_on),
    ];
    let trials = trials.iter().map(|&(name, test)| {
        libtest_mimic::Trial::test(name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&libtest_mimic::Arguments::from_args(), trials.collect()).exit_code()
}
