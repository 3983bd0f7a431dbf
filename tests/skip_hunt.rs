//! The hunt for a reader that misses an event.

mod skip_hunt {
    mod follower;
    pub mod hunt;
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub mod interleavings;
    mod naive;
    pub mod projected;
    mod reader;
    mod session;
    mod writer;
}

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
#[cfg(any(feature = "postgres", feature = "mysql"))]
use skip_hunt::interleavings;
use skip_hunt::{hunt::Hunt, hunt::hunt, projected};
use test_support::TestDatabase;

fn main() -> ExitCode {
    let mut trials = Vec::new();
    #[cfg(feature = "sqlite")]
    trials.extend(sqlite());
    #[cfg(feature = "postgres")]
    trials.extend(postgres());
    #[cfg(feature = "mysql")]
    trials.extend(mysql());
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

#[cfg(feature = "sqlite")]
fn sqlite() -> Vec<Trial> {
    let one_writer = Hunt { one_writer: true, ..Hunt::gapless("SQLite") };
    hunts::<test_support::Sqlite>("sqlite", one_writer).into()
}

#[cfg(feature = "postgres")]
fn postgres() -> Vec<Trial> {
    use test_support::Postgres;

    let mut trials = interleaved::<Postgres>("postgres");
    trials.extend(hunts::<Postgres>("postgres_fenced", Hunt::fenced("PostgreSQL, fenced")));
    trials.extend(hunts::<Postgres>("postgres_fenced_with_pauses_in_the_fence", WITH_PAUSES));
    let dense = Hunt { pauses: false, ..Hunt::fenced("PostgreSQL, fenced, without pauses") };
    trials.push(of_readers::<Postgres>("postgres_fenced_without_pauses", dense));
    trials.extend(hunts::<Postgres>("postgres_gapless", Hunt::gapless("PostgreSQL, gapless")));
    trials
}

/// Before and after a writer or a reader takes the last position that was given out. Whatever could come
/// between that and the next thing it does then comes.
#[cfg(feature = "postgres")]
const WITH_PAUSES: Hunt = Hunt {
    changes: &[
        "ALTER FUNCTION event_store_given_position() RENAME TO given_position_at_once",
        "CREATE FUNCTION event_store_given_position() RETURNS BIGINT LANGUAGE plpgsql VOLATILE AS $$
         DECLARE given BIGINT;
         BEGIN
             PERFORM pg_sleep(random() * 0.005);
             given := given_position_at_once();
             PERFORM pg_sleep(random() * 0.005);
             RETURN given;
         END $$",
    ],
    ..Hunt::fenced("PostgreSQL, fenced, with pauses in the fence")
};

#[cfg(feature = "mysql")]
fn mysql() -> Vec<Trial> {
    use test_support::{Mysql, ReadCommitted};

    let mut trials = interleaved::<Mysql>("mysql");
    trials.extend(interleaved::<ReadCommitted>("mysql_in_read_committed"));
    trials.extend(hunts::<Mysql>("mysql_fenced", Hunt::fenced("MySQL, fenced")));
    trials.extend(hunts::<Mysql>("mysql_gapless", Hunt::gapless("MySQL, gapless")));
    let dense = Hunt { pauses: false, ..Hunt::fenced("MySQL, fenced, without pauses") };
    trials.push(of_readers::<Mysql>("mysql_fenced_without_pauses", dense));
    let fenced = Hunt::fenced("MySQL, fenced, READ COMMITTED");
    trials.push(of_readers::<ReadCommitted>("mysql_fenced_in_read_committed", fenced));
    let gapless = Hunt::gapless("MySQL, gapless, READ COMMITTED");
    trials.push(of_readers::<ReadCommitted>("mysql_gapless_in_read_committed", gapless));
    trials
}

/// Two hunts with the same writers: one of readers of the log, and one of projections that two runners run.
fn hunts<D: TestDatabase<Conn: Send>>(name: &str, what: Hunt) -> [Trial; 2] {
    [of_readers::<D>(name, what), of_projections::<D>(name, what)]
}

fn of_readers<D: TestDatabase<Conn: Send>>(name: &str, what: Hunt) -> Trial {
    Trial::test(format!("no_reader_misses_an_event::{name}"), move || Ok(hunt::<D>(&what)?))
}

fn of_projections<D: TestDatabase<Conn: Send>>(name: &str, what: Hunt) -> Trial {
    Trial::test(format!("no_projection_misses_an_event::{name}"), move || Ok(projected::hunt::<D>(&what)?))
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
fn interleaved<D: TestDatabase>(name: &str) -> Vec<Trial> {
    let tests = interleavings::tests::<D>().into_iter();
    tests.map(|(test, run)| Trial::test(format!("{name}::{test}"), move || Ok(run()?))).collect()
}
