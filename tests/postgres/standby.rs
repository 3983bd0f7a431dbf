//! What readers of a hot standby may rely on.

use std::fs;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection};
use diesel::prelude::*;
use diesel_event_store::{
    CheckpointError, DatabaseErrorKind, Error, EventStore, ExpectedVersion, LogQuery, NewEvent, Position,
    StreamId, run_pending_migrations,
};
use test_support::private_server::PrivateServer;
use test_support::random::Random;
use test_support::witness::{
    Entry, Tail, append_one, begin, commit, committed_after, is_not_published, kind, roll_back,
};
use test_support::{self, at_once};

const STORE: EventStore = EventStore::new();

/// A server with the event store's tables, and another that follows it.
struct Pair {
    primary: PrivateServer,
    standby: PrivateServer,
}

impl Pair {
    fn start() -> test_support::Result<Self> {
        let primary = PrivateServer::start("postgres", &[])?;
        run_pending_migrations(&mut PgConnection::establish(primary.url())?)?;
        // What is to be replayed does not wait for readers: it cancels them.
        let standby = PrivateServer::start("postgres", &["-c", "max_standby_streaming_delay=0"])?;
        standby.stop()?;
        copy_data(&primary, &standby)?;
        standby.restart()?;
        Ok(Self { primary, standby })
    }

    fn on_primary(&self) -> test_support::Result<PgConnection> {
        Ok(PgConnection::establish(self.primary.url())?)
    }

    fn on_standby(&self) -> test_support::Result<PgConnection> {
        Ok(PgConnection::establish(self.standby.url())?)
    }

    /// Waits until the standby has all that is committed on the primary now.
    fn replay(&self) -> test_support::Result {
        let (mut primary, mut standby) = (self.on_primary()?, self.on_standby()?);
        let position = diesel::dsl::sql::<diesel::sql_types::Text>("pg_current_wal_insert_lsn()::text");
        let position: String = diesel::select(position).get_result(&mut primary)?;
        let replayed = format!("(SELECT WHERE pg_last_wal_replay_lsn() >= '{position}') AS replayed");
        while test_support::count(&mut standby, &replayed)? == 0 {
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

/// `pg_basebackup` into the folder of a server that is stopped, as the user that the server runs as.
fn copy_data(primary: &PrivateServer, standby: &PrivateServer) -> test_support::Result {
    let data = standby.folder().join("data");
    fs::remove_dir_all(&data)?;
    let into = format!("--pgdata={}", data.display());
    let from = format!("--dbname={}", primary.url());
    standby.program(&[
        "pg_basebackup",
        &into,
        &from,
        "--write-recovery-conf",
        "--checkpoint=fast",
        "--no-sync",
    ])
}

#[test]
fn the_log_is_not_read_until_a_position_is_published() -> test_support::Result {
    let pair = Pair::start()?;
    let (mut primary, mut standby) = (pair.on_primary()?, pair.on_standby()?);
    append_one(&mut primary, "Unpublished")?;
    pair.replay()?;
    let refused = STORE.read_forward(&mut standby, Position::START, 10).expect_err("it cannot be read");
    assert!(is_not_published(&refused.into()));
    let refused = STORE.last_position(&mut standby).expect_err("it cannot be found out");
    assert!(is_not_published(&Error::from(refused)));
    // A stream has no such end to find out.
    assert_eq!(STORE.read_stream(&mut standby, &StreamId::new("Alone", "Unpublished")?, ..)?.len(), 1);

    STORE.publish_position(&mut primary)?;
    pair.replay()?;
    assert_eq!(Tail::new(standby).news()?, ["Unpublished"]);
    Ok(())
}

#[test]
fn the_log_is_read_up_to_the_position_that_was_published() -> test_support::Result {
    let pair = Pair::start()?;
    let mut reader = Tail::new(pair.on_standby()?);
    let (mut slow, mut fast) = (pair.on_primary()?, pair.on_primary()?);
    append_one(&mut fast, "Before")?;
    begin(&mut slow)?;
    append_one(&mut slow, "Early")?;
    append_one(&mut fast, "Late")?;
    STORE.publish_position(&mut fast)?;
    pair.replay()?;
    assert_eq!(reader.news()?, ["Before"]);

    commit(&mut slow)?;
    pair.replay()?;
    assert!(reader.news()?.is_empty());

    STORE.publish_position(&mut fast)?;
    pair.replay()?;
    assert_eq!(reader.news()?, ["Early", "Late"]);
    assert_eq!(reader.newest()?.as_deref(), Some("Late"));
    Ok(())
}

#[test]
fn a_standby_can_only_be_read() -> test_support::Result {
    let pair = Pair::start()?;
    STORE.publish_position(&mut pair.on_primary()?)?;
    pair.replay()?;
    let mut standby = pair.on_standby()?;
    assert!(run_pending_migrations(&mut standby)?.is_empty(), "to find nothing to do, it only reads");
    let refusals = [
        append_one(&mut standby, "Refused"),
        STORE.publish_position(&mut standby).map(drop).map_err(Error::from),
        STORE
            .save_checkpoint(&mut standby, "Refused", Position::START)
            .map_err(|error: CheckpointError| error.into()),
    ];
    for refused in refusals {
        let error = refused.expect_err("nothing can be written");
        assert_eq!(kind(&error), Some(DatabaseErrorKind::ReadOnly), "{error}");
        assert!(!error.is_retryable());
    }
    Ok(())
}

/// The standby removes rows that a reader's snapshot still needs, because the primary has.
#[test]
fn a_reader_that_the_standby_cancels_may_try_again() -> test_support::Result {
    let pair = Pair::start()?;
    let (mut primary, mut standby) = (pair.on_primary()?, pair.on_standby()?);
    test_support::create_app_rows(&mut primary)?;
    test_support::insert_app_row(&mut primary, "to be removed")?;
    append_one(&mut primary, "There")?;
    STORE.publish_position(&mut primary)?;
    pair.replay()?;

    AnsiTransactionManager::begin_transaction_sql(&mut standby, "BEGIN ISOLATION LEVEL REPEATABLE READ")?;
    assert_eq!(test_support::count(&mut standby, "app_rows")?, 1);
    primary.batch_execute("DELETE FROM app_rows")?;
    primary.batch_execute("VACUUM app_rows")?;
    pair.replay()?;
    let error = STORE.read_forward(&mut standby, Position::START, 10).expect_err("it was cancelled");
    assert!(error.is_retryable(), "{error}");

    assert_eq!(Tail::new(pair.on_standby()?).news()?, ["There"]);
    Ok(())
}

#[test]
fn readers_go_on_when_a_standby_becomes_the_primary() -> test_support::Result {
    let pair = Pair::start()?;
    let (mut primary, mut reader) = (pair.on_primary()?, Tail::new(pair.on_standby()?));
    append_one(&mut primary, "Before")?;
    begin(&mut primary)?;
    append_one(&mut primary, "Never committed")?;
    let mut other = pair.on_primary()?;
    append_one(&mut other, "Behind it")?;
    STORE.publish_position(&mut other)?;
    pair.replay()?;
    assert_eq!(reader.news()?, ["Before"]);

    pair.primary.kill()?;
    test_support::execute(&mut reader.conn, "SELECT pg_promote()")?;
    assert_eq!(reader.news()?, ["Behind it"]);
    append_one(&mut pair.on_standby()?, "After")?;
    assert_eq!(reader.news()?, ["After"]);
    Ok(())
}

/// The skip hunt's idea, with writers and a publisher on the primary and readers on the standby.
#[test]
fn readers_of_a_standby_miss_nothing() -> test_support::Result {
    const WRITERS: u64 = 8;
    const FEWEST_MISSED: usize = 20;
    const MOST_ROUNDS: usize = 50;
    let pair = Pair::start()?;
    let mut random = Random::for_test("standby");
    let mut readers = Vec::new();
    for page in [3, 50] {
        readers.push(Reader {
            page,
            conn: pair.on_standby()?,
            scanned_to: Position::START,
            seen: Vec::new(),
        });
    }
    let mut naive = Naive { conn: pair.on_standby()?, last: 0, seen: 0 };
    let mut primary = pair.on_primary()?;
    append_one(&mut primary, "First")?;
    STORE.publish_position(&mut primary)?;
    pair.replay()?;

    let mut missed = 0;
    for round in 0.. {
        assert!(round < MOST_ROUNDS, "the naive reader has missed only {missed} events");
        let mut writers = Vec::new();
        for number in 0..WRITERS {
            let own = StreamId::new("Own", number)?;
            writers.push(Writer { conn: pair.on_primary()?, own, random: Random::from_seed(random.draw()) });
        }
        let end = &AtomicI64::new(i64::MAX);
        thread::scope(|scope| -> test_support::Result {
            let mut threads: Vec<_> =
                readers.iter_mut().map(|reader| scope.spawn(|| reader.read_to(end))).collect();
            threads.push(scope.spawn(|| naive.read_to(end)));
            let (writing, done) = mpsc::channel::<()>();
            let publisher = scope.spawn(|| publish_until(pair.on_primary()?, done));
            let written: test_support::Result =
                at_once(&mut writers, |_, writer| writer.write()).into_iter().collect();
            drop(writing);
            publisher.join().expect("it has not panicked")?;
            STORE.publish_position(&mut primary)?;
            // Set whatever has happened: the readers wait for it. What was published may lie behind the last
            // event, where a transaction was rolled back; no reader gets there.
            end.store(STORE.last_position(&mut primary)?.get(), Ordering::Relaxed);
            for thread in threads {
                thread.join().expect("it has not panicked")?;
            }
            written
        })?;
        let table = committed_after(&mut primary, 0)?;
        for reader in &readers {
            assert!(reader.seen == table, "it has missed events, or has seen some twice");
        }
        missed = table.len() - naive.seen;
        if missed >= FEWEST_MISSED {
            eprintln!("{} events, {missed} missed by the naive reader, in {} rounds", table.len(), round + 1);
            break;
        }
    }
    Ok(())
}

struct Writer {
    conn: PgConnection,
    own: StreamId,
    random: Random,
}

impl Writer {
    fn write(&mut self) -> test_support::Result {
        const TRANSACTIONS: usize = 50;
        for _ in 0..TRANSACTIONS {
            begin(&mut self.conn)?;
            for _ in 0..=self.random.below(3) {
                let event = NewEvent::new("Written", &())?;
                STORE.append(&mut self.conn, &self.own, ExpectedVersion::Any, &[event])?;
                thread::sleep(Duration::from_micros(self.random.below(3_000)));
            }
            if self.random.below(8) == 0 { roll_back(&mut self.conn)? } else { commit(&mut self.conn)? }
        }
        Ok(())
    }
}

fn publish_until(mut conn: PgConnection, done: mpsc::Receiver<()>) -> test_support::Result {
    while done.recv_timeout(Duration::from_millis(5)) == Err(RecvTimeoutError::Timeout) {
        STORE.publish_position(&mut conn)?;
    }
    Ok(())
}

struct Reader {
    page: usize,
    conn: PgConnection,
    scanned_to: Position,
    seen: Vec<Entry>,
}

impl Reader {
    fn read_to(&mut self, end: &AtomicI64) -> test_support::Result {
        while self.scanned_to.get() < end.load(Ordering::Relaxed) {
            match STORE.read_log(&mut self.conn, &LogQuery::after(self.scanned_to), self.page) {
                Ok(slice) => {
                    self.seen.extend(slice.events().iter().map(Entry::from));
                    self.scanned_to = slice.scanned_to();
                }
                Err(error) if error.is_retryable() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Here, too, whoever goes on after the highest position it has seen misses events.
struct Naive {
    conn: PgConnection,
    last: i64,
    seen: usize,
}

impl Naive {
    fn read_to(&mut self, end: &AtomicI64) -> test_support::Result {
        while self.last < end.load(Ordering::Relaxed) {
            let page = committed_after(&mut self.conn, self.last)?;
            self.seen += page.len();
            self.last = page.last().map_or(self.last, |entry| entry.position);
        }
        Ok(())
    }
}
