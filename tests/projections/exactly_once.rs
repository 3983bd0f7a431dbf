use std::env;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use diesel_event_store::EventConnection;
use test_support::random::Random;
use test_support::{TestDatabase, advances_until, count};

use super::accounts::{assert_equal_to_log, create_tables};
use super::client::Client;
use super::crew::{Crew, LONG_LEASE, SHORT_LEASE, change_partitions, wait_for_partitions};
use super::load::Load;

const KILLS: usize = 8;

pub fn kills(kills: usize) -> test_support::Result<usize> {
    Ok(env::var("KILLS").map_or(Ok(kills), |kills| kills.parse())?)
}

pub fn one_process<D: TestDatabase<Conn: Client>>() -> test_support::Result {
    each_event_once::<D>("one process", 1, &[1])
}

/// The number of partitions is changed twice on the way.
pub fn four_processes<D: TestDatabase<Conn: Client>>() -> test_support::Result {
    each_event_once::<D>("four processes", 4, &[3, 7, 2])
}

/// With these numbers of partitions, one after the other.
fn each_event_once<D>(name: &str, processes: usize, partitions: &[i32]) -> test_support::Result
where
    D: TestDatabase<Conn: Client>,
{
    let mut random = Random::for_test(name);
    let kills = kills(KILLS)?;
    let database = D::migrated()?;
    let (mut conn, url) = (database.connect()?, database.url());
    create_tables(&mut conn)?;

    let is_over = AtomicBool::new(false);
    thread::scope(|scope| -> test_support::Result {
        let load = Load::start::<D::Conn>(scope, &url, &is_over, &mut random, None);
        let mut crew = Crew::start(&url, processes, partitions[0], SHORT_LEASE);
        for kill in 0..kills {
            if let Some(partitions) = change_before(kill, kills, partitions) {
                change_partitions(&mut conn, partitions)?;
            }
            wait_for_more(&mut conn, 1 + random.below(200))?;
            crew.kill_one(&mut random);
        }
        wait_for_partitions(&mut conn, partitions[partitions.len() - 1] as usize)?;
        load.end()?;
        crew.finish(&mut conn)
    })?;
    eprintln!("{name}: {kills} kills, {} events", count(&mut conn, "events")?);
    assert_equal_to_log(&mut conn)
}

/// Until so many more events are applied.
pub fn wait_for_more<C: EventConnection>(conn: &mut C, events: u64) -> test_support::Result {
    let enough = count(conn, "applied")? + events as i64;
    advances_until("more to be applied", || Ok(count(conn, "applied")?), |applied| *applied >= enough)
}

/// The changes are spread evenly over the kills.
pub fn change_before(kill: usize, kills: usize, partitions: &[i32]) -> Option<i32> {
    (1..partitions.len()).find(|nth| nth * kills / partitions.len() == kill).map(|nth| partitions[nth])
}

/// While events are appended, and partitions are as far as they happen to be.
pub fn partitions_are_changed_often<D: TestDatabase<Conn: Client>>() -> test_support::Result {
    const CHANGES: usize = 20;
    let mut random = Random::for_test("partitions are changed often");
    let database = D::migrated()?;
    let (mut conn, url) = (database.connect()?, database.url());
    create_tables(&mut conn)?;

    let is_over = AtomicBool::new(false);
    thread::scope(|scope| -> test_support::Result {
        let load = Load::start::<D::Conn>(scope, &url, &is_over, &mut random, None);
        let crew = Crew::start(&url, 1, 1, LONG_LEASE);
        for _ in 0..CHANGES {
            let partitions = 1 + random.below(8) as i32;
            change_partitions(&mut conn, partitions)?;
            wait_for_partitions(&mut conn, partitions as usize)?;
            thread::sleep(Duration::from_millis(random.below(100)));
        }
        load.end()?;
        crew.finish(&mut conn)
    })?;
    assert_equal_to_log(&mut conn)
}
