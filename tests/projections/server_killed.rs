use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use diesel_event_store::run_pending_migrations;
use test_support::private_server::PrivateServer;
use test_support::random::Random;
use test_support::{self, count};

use super::accounts::{assert_equal_to_log, create_tables};
use super::client::Client;
use super::crew::{Crew, SHORT_LEASE, change_partitions, wait_for_partitions};
use super::exactly_once::{change_before, kills, wait_for_more};
use super::load::Load;

const KILLS: usize = 4;
const PARTITIONS: [i32; 2] = [4, 3];

/// The processes live on, most of them, and find the server again.
pub fn each_event_once<C: Client>(kind: &str) -> test_support::Result {
    let mut random = Random::for_test(kind);
    let kills = kills(KILLS)?;
    let server = PrivateServer::start(kind, &[])?;
    let url = server.url();
    let mut conn = C::open(url)?;
    run_pending_migrations(&mut conn)?;
    create_tables(&mut conn)?;

    let is_over = AtomicBool::new(false);
    thread::scope(|scope| -> test_support::Result {
        let load = Load::start::<C>(scope, url, &is_over, &mut random, None);
        let mut crew = Crew::start(url, 2, PARTITIONS[0], SHORT_LEASE);
        for kill in 0..kills {
            if let Some(partitions) = change_before(kill, kills, &PARTITIONS) {
                change_partitions(&mut conn, partitions)?;
            }
            wait_for_more(&mut conn, 1 + random.below(200))?;
            thread::sleep(Duration::from_millis(random.below(50)));
            server.kill()?;
            server.restart()?;
            conn = C::open(url)?;
            if random.below(2) == 0 {
                // A process that begins needs its server.
                crew.kill_one(&mut random).wait_until_ready();
            }
        }
        wait_for_partitions(&mut conn, PARTITIONS[1] as usize)?;
        load.end()?;
        crew.finish(&mut conn)
    })?;
    eprintln!("{kind}: {kills} kills of the server, {} events", count(&mut conn, "events")?);
    assert_equal_to_log(&mut conn)
}
