use std::sync::atomic::AtomicBool;
use std::thread;

use diesel_event_store::EventConnection;
use diesel_event_store::projection::{ParkReason, ParkedEvent, parked, retry_parked};
use test_support::random::Random;
use test_support::{TestDatabase, advances_until, count, execute};

use super::accounts::{NAME, TROUBLE, assert_equal_to_log, create_tables};
use super::client::Client;
use super::crew::{Crew, SHORT_LEASE, change_partitions, wait_for_partitions};
use super::exactly_once::{change_before, kills};
use super::load::Load;

const KILLS: usize = 6;
const PARTITIONS: [i32; 3] = [2, 5, 3];
const ONE_IN_TROUBLE: u64 = 40;

/// Some events are in trouble and parked, and with them what follows in their aggregates. They are retried,
/// some of them in vain, while processes are killed and the number of partitions changes. The handler refuses
/// what comes out of order.
pub fn with_parked_events<D: TestDatabase<Conn: Client>>() -> test_support::Result {
    let mut random = Random::for_test("order");
    let kills = kills(KILLS)?;
    let database = D::migrated()?;
    let (mut conn, url) = (database.connect()?, database.url());
    create_tables(&mut conn)?;
    let mut operator = Operator { random: Random::from_seed(random.draw()), retried: 0 };

    let is_over = AtomicBool::new(false);
    thread::scope(|scope| -> test_support::Result {
        let load = Load::start::<D::Conn>(scope, &url, &is_over, &mut random, Some(ONE_IN_TROUBLE));
        let mut crew = Crew::start(&url, 3, PARTITIONS[0], SHORT_LEASE);
        for kill in 0..kills {
            if let Some(partitions) = change_before(kill, kills, &PARTITIONS) {
                change_partitions(&mut conn, partitions)?;
            }
            let enough = count(&mut conn, "applied")? + 1 + random.below(200) as i64;
            let retry_and_count = || {
                operator.retry_some(&mut conn)?;
                Ok(count(&mut conn, "applied")?)
            };
            advances_until("more to be applied", retry_and_count, |applied| *applied >= enough)?;
            crew.kill_one(&mut random);
        }
        wait_for_partitions(&mut conn, PARTITIONS[PARTITIONS.len() - 1] as usize)?;
        load.end()?;
        crew.wait_for_the_end(&mut conn)?;
        advances_until("nothing to be parked", || operator.retry_the_rest(&mut conn), |parked| *parked == 0)?;
        crew.finish(&mut conn)
    })?;
    let events = count(&mut conn, "events")?;
    eprintln!("order: {kills} kills, {events} events, {} retries", operator.retried);
    assert_equal_to_log(&mut conn)
}

/// Somebody who looks after parked events.
struct Operator {
    random: Random,
    retried: usize,
}

impl Operator {
    /// Of what has failed, mended or not.
    fn retry_some<C: EventConnection>(&mut self, conn: &mut C) -> test_support::Result {
        for event in self.failed(conn)? {
            if self.random.below(2) == 0 {
                mend(conn, &event)?;
            }
            self.retry(conn, &event)?;
        }
        Ok(())
    }

    /// Everything is mended now. Returns how many there were.
    fn retry_the_rest<C: EventConnection>(&mut self, conn: &mut C) -> test_support::Result<usize> {
        let parked = parked(conn, (NAME, 1))?;
        parked.iter().try_for_each(|event| mend(conn, event))?;
        for event in self.failed(conn)? {
            self.retry(conn, &event)?;
        }
        Ok(parked.len())
    }

    /// Those that nobody has asked for to be retried.
    fn failed<C: EventConnection>(&self, conn: &mut C) -> test_support::Result<Vec<ParkedEvent>> {
        let mut parked = parked(conn, (NAME, 1))?;
        parked.retain(|event| event.reason() != ParkReason::Held && !event.is_requested());
        for event in &parked {
            assert!(event.error().contains(TROUBLE), "{}: {}", event.position(), event.error());
        }
        Ok(parked)
    }

    fn retry<C: EventConnection>(&mut self, conn: &mut C, event: &ParkedEvent) -> test_support::Result {
        self.retried += usize::from(retry_parked(conn, (NAME, 1), event.position())?);
        Ok(())
    }
}

fn mend<C: EventConnection>(conn: &mut C, event: &ParkedEvent) -> test_support::Result {
    let position = event.position();
    if count(conn, &format!("mended WHERE global_position = {position}"))? == 0 {
        execute(conn, &format!("INSERT INTO mended VALUES ({position})"))?;
    }
    Ok(())
}
