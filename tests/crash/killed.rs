use std::collections::HashMap;
use std::env;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use diesel::result::ConnectionResult;
use diesel_event_store::{Error, ExpectedVersion, LogOrdering, NewEvent, StreamId, run_pending_migrations};
use test_support::advances_until;
use test_support::private_server::PrivateServer;
use test_support::random::Random;
use test_support::witness::{Entry, Ledger, Versions, committed_after, is_lost_connection};

use super::load::{Client, Reader, STORE, Writer};

const WRITERS: usize = 8;
const KILLS: usize = 8;
/// So many transactions are acknowledged before the server is killed, and up to so many more.
const TRANSACTIONS: usize = 50;
const MORE_TRANSACTIONS: u64 = 200;

/// Kills the server again and again while events are appended and read. `KILLS` says how often.
pub fn nothing_acknowledged_is_lost<C: Client>(kind: &str, ordering: LogOrdering) -> test_support::Result {
    let kills = env::var("KILLS").map_or(Ok(KILLS), |kills| kills.parse())?;
    let mut random = Random::for_test(kind);
    let server = PrivateServer::start(kind, &[])?;
    let url = server.url();
    let mut conn = C::establish(url)?;
    run_pending_migrations(&mut conn)?;
    STORE.set_log_ordering(&mut conn, ordering)?;
    drop(conn);
    let mut writers = (0..WRITERS)
        .map(|number| Writer::new(number, Random::from_seed(random.draw())))
        .collect::<test_support::Result<Vec<_>>>()?;
    let mut readers = [1, 10, 100].map(Reader::new);
    let mut ledger = Ledger::default();

    for _ in 0..kills {
        let idle = C::establish(url)?;
        let enough = TRANSACTIONS + random.below(MORE_TRANSACTIONS) as usize;
        run_and_kill::<C>(&server, &mut writers, &mut readers, enough)?;
        server.restart()?;

        writers.iter_mut().for_each(|writer| ledger.merge(std::mem::take(&mut writer.ledger)));
        assert_lost(idle)?;
        let mut conn = C::establish(url)?;
        let table = committed_after(&mut conn, 0)?;
        ledger.assert_kept_in(&table);
        Versions::default().assert_continued_by(&table);
        assert_heads_are_the_last_versions(&mut conn)?;
        readers.iter().for_each(|reader| assert_still_there(&reader.seen, &table));
    }

    let mut conn = C::establish(url)?;
    let table = committed_after(&mut conn, 0)?;
    let end = table.last().ok_or("nothing was appended")?.position;
    for reader in &mut readers {
        reader.read_to(&mut conn, end)?;
        assert!(reader.seen == table, "a reader has missed events, or has seen some twice");
    }
    if ordering == LogOrdering::Gapless {
        assert_eq!(end, table.len() as i64, "there is a gap");
    }
    let (events, unclear) = (table.len(), ledger.unclear_transactions());
    eprintln!(
        "{kind}, {ordering:?}: {kills} kills, {events} events, {unclear} transactions of unclear outcome"
    );
    Ok(())
}

fn run_and_kill<C: Client>(
    server: &PrivateServer,
    writers: &mut [Writer],
    readers: &mut [Reader],
    enough: usize,
) -> test_support::Result {
    let acknowledged = &AtomicUsize::new(0);
    let connect = || C::establish(server.url());
    // All are connected before one of them works: the server may be killed soon after.
    let writers = writers.iter_mut().map(|writer| Ok((writer, connect()?)));
    let writers = writers.collect::<ConnectionResult<Vec<_>>>()?;
    let readers = readers.iter_mut().map(|reader| Ok((reader, connect()?)));
    let readers = readers.collect::<ConnectionResult<Vec<_>>>()?;
    thread::scope(|scope| {
        let writers: Vec<_> = writers
            .into_iter()
            .map(|(writer, conn)| scope.spawn(move || writer.work(conn, acknowledged)))
            .collect();
        let readers: Vec<_> =
            readers.into_iter().map(|(reader, conn)| scope.spawn(move || reader.follow(conn))).collect();
        let is_enough = advances_until(
            "enough acknowledged transactions",
            || Ok(acknowledged.load(Ordering::Relaxed)),
            |acknowledged| *acknowledged >= enough,
        );
        // Whatever has happened: the clients go on until the server is gone.
        server.kill()?;
        is_enough?;
        for client in writers.into_iter().chain(readers) {
            client.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
        Ok(())
    })
}

/// A connection to a server that is no more says so, however often it is asked.
fn assert_lost<C: Client>(mut conn: C) -> test_support::Result {
    let stream = StreamId::new("Idle", 1)?;
    for _ in 0..2 {
        let event = NewEvent::new("Lost", &())?;
        let appended = STORE.append(&mut conn, &stream, ExpectedVersion::Any, &[event]);
        assert!(is_lost_connection(&Error::from(appended.expect_err("the server is another"))));
        let read = STORE.last_position(&mut conn);
        assert!(is_lost_connection(&Error::from(read.expect_err("the server is another"))));
    }
    Ok(())
}

fn assert_heads_are_the_last_versions<C: Client>(conn: &mut C) -> test_support::Result {
    let streams = "(SELECT tenant_id, aggregate_type, aggregate_id, MAX(aggregate_version) AS last_version \
                   FROM events GROUP BY tenant_id, aggregate_type, aggregate_id) AS streams";
    let right = format!(
        "{streams} JOIN aggregate_heads USING (tenant_id, aggregate_type, aggregate_id) WHERE last_version = aggregate_version"
    );
    let right = test_support::count(conn, &right)?;
    assert_eq!(right, test_support::count(conn, streams)?);
    assert_eq!(right, test_support::count(conn, "aggregate_heads")?);
    Ok(())
}

/// What a reader has seen can never have been lost, nor be in another place.
fn assert_still_there(seen: &[Entry], table: &[Entry]) {
    let there: HashMap<&str, &Entry> = table.iter().map(|entry| (entry.event_id.as_str(), entry)).collect();
    for entry in seen {
        assert_eq!(there.get(entry.event_id.as_str()), Some(&entry), "seen by a reader, and then");
    }
}
