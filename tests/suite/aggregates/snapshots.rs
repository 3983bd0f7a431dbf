//! Snapshots change how fast an aggregate is loaded, and nothing else.

use std::cell::Cell;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::housekeeping::{remove, restore};
use diesel::connection::{Connection, InstrumentationEvent};
use diesel_event_store::{
    Aggregate, AggregateRef, Error, Event, EventConnection, EventStore, Evolve, ExecuteError,
    ExpectedVersion, LoadError, Position, Snapshots, StreamId, write_transaction,
};
use serde::{Deserialize, Serialize};
use test_support::{
    Result, TestDatabase, app_rows, at_once, changed, count, create_app_rows, execute, insert_app_row,
};

tests! {
    only_what_comes_after_is_folded,
    an_aggregate_that_was_short_is_not_asked_for_one,
    what_others_have_appended_since_it_was_short_is_seen,
    what_was_erased_since_it_was_short_is_still_in_its_snapshot,
    more_than_is_read_at_once_may_come_after,
    it_is_written_when_a_multiple_is_passed,
    it_is_written_in_the_transaction_and_goes_with_it,
    there_is_one_of_each_version,
    one_that_cannot_be_used_is_none,
    one_of_a_log_that_was_restored_is_none,
    one_that_cannot_be_used_is_replaced,
    what_was_erased_is_gone_from_the_state_without_its_snapshots,
    one_that_cannot_be_written_stops_nothing,
    one_that_is_too_large_is_not_written,
    a_state_that_is_no_json_is_not_written,
    tenants_are_apart,
    callers_at_once_see_the_state_of_their_version,
    a_repetition_gets_the_state_of_its_own_version,
    a_changed_fold_is_found,
    old_ones_are_deleted_on_demand,
    what_cannot_be_is_refused,
}

thread_local! {
    static FOLDED: Cell<u32> = const { Cell::new(0) };
    /// What the release of this thread is.
    static RELEASE: Cell<Release> = const { Cell::new(Release { version: 1, every: 10, factor: 1 }) };
}

#[derive(Clone, Copy)]
struct Release {
    version: i32,
    every: u32,
    /// Of its fold.
    factor: i64,
}

fn release(version: i32, every: u32, factor: i64) {
    RELEASE.set(Release { version, every, factor });
}

#[derive(Debug, Clone, Event)]
enum MeterEvent {
    #[event(name = "MeterRead")]
    Read { kwh: i64 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Meter {
    id: String,
    sum: i64,
    odd: std::collections::BTreeMap<String, i64>,
    #[serde(serialize_with = "refuse_negative")]
    last: i64,
}

fn refuse_negative<S: serde::Serializer>(last: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    if *last < 0 {
        return Err(serde::ser::Error::custom("it is negative"));
    }
    serializer.serialize_i64(*last)
}

impl Evolve for Meter {
    type Event = MeterEvent;

    fn evolve(mut self, MeterEvent::Read { kwh }: MeterEvent) -> Self {
        FOLDED.set(FOLDED.get() + 1);
        if kwh % 2 == 1 {
            *self.odd.entry(kwh.to_string()).or_default() += 1;
        }
        Self { sum: self.sum + RELEASE.get().factor * kwh, last: kwh, ..self }
    }
}

impl Aggregate for Meter {
    const TYPE: &'static str = "Meter";

    fn initial(id: &str) -> Self {
        Self { id: id.to_owned(), sum: 0, odd: std::collections::BTreeMap::new(), last: 0 }
    }

    fn snapshots() -> Option<Snapshots<Self>> {
        let Release { version, every, .. } = RELEASE.get();
        Some(Snapshots::version(version).every(every))
    }
}

const STORE: EventStore = EventStore::new();

fn meter(id: &str) -> AggregateRef<Meter> {
    STORE.aggregate(id)
}

/// A command that reads the meter so often, always the same.
fn read(
    meter: &AggregateRef<Meter>,
    conn: &mut impl EventConnection,
    readings: usize,
    kwh: i64,
) -> Result<i64> {
    let events = vec![MeterEvent::Read { kwh }; readings];
    Ok(meter.clone().update(conn, |_| Ok::<_, Infallible>(events.clone()))?.version)
}

/// Of one meter, with a snapshot at version 20 and five events after it.
fn with_25_readings<D: TestDatabase>() -> Result<(D, D::Conn)> {
    release(1, 10, 1);
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    for readings in [20, 5] {
        read(&meter("m"), &mut conn, readings, 1)?;
    }
    assert_eq!(at(&mut conn)?, 20);
    Ok((db, conn))
}

/// At which version of the meter its snapshot is, 0 if there is none.
fn at(conn: &mut impl EventConnection) -> Result<i64> {
    for version in 1..100 {
        if count(conn, &format!("snapshots WHERE aggregate_version = {version}"))? > 0 {
            return Ok(version);
        }
    }
    Ok(0)
}

/// How many events were folded for a state that is right.
fn folded(conn: &mut impl EventConnection) -> Result<u32> {
    FOLDED.set(0);
    let loaded = meter("m").load(conn)?;
    let events = STORE.read_stream(conn, &StreamId::new("Meter", "m")?, ..)?;
    assert_eq!((loaded.state.sum, loaded.version), (i64::try_from(events.len())?, events.version()));
    assert_eq!(&*loaded.state.id, "m");
    Ok(FOLDED.get())
}

fn only_what_comes_after_is_folded<D: TestDatabase>() -> Result {
    let (_db, mut conn) = with_25_readings::<D>()?;
    assert_eq!(folded(&mut conn)?, 5);
    FOLDED.set(0);
    let done = meter("m").update(&mut conn, |_| Ok::<_, Infallible>(vec![MeterEvent::Read { kwh: 1 }]))?;
    assert_eq!((done.state.sum, done.version, FOLDED.get()), (26, 26, 6));
    Ok(())
}

/// Another stream of this process can take the place of one in what is remembered, but hardly of three.
fn an_aggregate_that_was_short_is_not_asked_for_one<D: TestDatabase>() -> Result {
    release(1, 10, 1);
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let asked = [(); 3].map(|()| questions_for_snapshots(&mut conn));
    let asked = asked.into_iter().collect::<Result<Vec<_>>>()?;
    assert!(asked.contains(&[1, 0, 0, 0, 1, 1]), "{asked:?}");
    Ok(())
}

/// How often commands ask, which begin at the versions 0, 1, 2, 9, 10 and 11.
fn questions_for_snapshots(conn: &mut (impl EventConnection + Connection)) -> Result<[usize; 6]> {
    // Of no other test and database of this process.
    let meter = meter(&MeterEvent::Read { kwh: 1 }.to_new()?.id().to_string());
    let questions = count_questions_for_snapshots(conn);
    let mut asked = [0; 6];
    for (asked, readings) in asked.iter_mut().zip([1, 1, 7, 1, 1, 1]) {
        read(&meter, conn, readings, 1)?;
        *asked = questions.swap(0, Ordering::SeqCst);
    }
    Ok(asked)
}

/// It tells how often the connection was asked for a snapshot.
fn count_questions_for_snapshots(conn: &mut impl Connection) -> Arc<AtomicUsize> {
    let questions = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&questions);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        let InstrumentationEvent::StartQuery { query, .. } = event else { return };
        if query.to_string().contains("JOIN snapshots") {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    questions
}

fn what_others_have_appended_since_it_was_short_is_seen<D: TestDatabase>() -> Result {
    release(1, 10, 1);
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    read(&meter("m"), &mut conn, 5, 1)?;
    for (added, version) in [(4, 9), (1, 10), (10, 20)] {
        let events = (0..added).map(|_| MeterEvent::Read { kwh: 1 }.to_new());
        let events = events.collect::<Result<Vec<_>, _>>()?;
        STORE.append(&mut conn, &StreamId::new("Meter", "m")?, ExpectedVersion::Any, &events)?;
        assert_eq!(folded(&mut conn)?, version);
    }
    Ok(())
}

/// Other processes have written a snapshot meanwhile, and erased most of the events before it.
fn what_was_erased_since_it_was_short_is_still_in_its_snapshot<D: TestDatabase>() -> Result {
    release(1, 10, 1);
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    read(&meter("m"), &mut conn, 12, 1)?;
    remove(&mut conn, "aggregate_id = 'm' AND aggregate_version BETWEEN 2 AND 9")?;
    // As it was here before.
    let elsewhere = D::migrated()?;
    read(&meter("m"), &mut elsewhere.connect()?, 9, 1)?;
    assert_eq!(meter("m").load(&mut conn)?.state.sum, 12);
    Ok(())
}

/// A page is a thousand events, with that of the snapshot.
fn more_than_is_read_at_once_may_come_after<D: TestDatabase>() -> Result {
    let (_db, mut conn) = with_25_readings::<D>()?;
    for (added, since) in [(994, 999), (1, 1_000), (1_000, 2_000)] {
        let events = (0..added).map(|_| MeterEvent::Read { kwh: 1 }.to_new());
        let events = events.collect::<Result<Vec<_>, _>>()?;
        STORE.append(&mut conn, &StreamId::new("Meter", "m")?, ExpectedVersion::Any, &events)?;
        assert_eq!(folded(&mut conn)?, since);
        release(2, 10, 1); // which has none
        assert_eq!(folded(&mut conn)?, since + 20);
        release(1, 10, 1);
    }
    assert_eq!(changed(&mut conn, "UPDATE snapshots SET aggregate_version = 19")?, 1);
    assert_eq!(folded(&mut conn)?, 2_020);
    Ok(())
}

fn it_is_written_when_a_multiple_is_passed<D: TestDatabase>() -> Result {
    release(1, 10, 1);
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    for (readings, expected) in [(9, 0), (1, 10), (9, 10), (3, 22), (7, 22), (1, 30), (25, 55)] {
        read(&meter("m"), &mut conn, readings, 1)?;
        assert_eq!(at(&mut conn)?, expected);
    }
    Ok(())
}

fn it_is_written_in_the_transaction_and_goes_with_it<D: TestDatabase>() -> Result {
    let (_db, mut conn) = with_25_readings::<D>()?;
    let rolled_back = write_transaction(&mut conn, |conn| -> Result {
        read(&meter("m"), conn, 5, 1)?;
        assert_eq!((at(conn)?, folded(conn)?), (30, 0));
        Err("rolled back".into())
    });
    assert!(rolled_back.is_err());
    assert_eq!((at(&mut conn)?, folded(&mut conn)?), (20, 5));
    write_transaction(&mut conn, |conn| read(&meter("m"), conn, 5, 1))?;
    assert_eq!((at(&mut conn)?, folded(&mut conn)?), (30, 0));
    Ok(())
}

/// In a rolling deployment both releases have theirs.
fn there_is_one_of_each_version<D: TestDatabase>() -> Result {
    let (_db, mut conn) = with_25_readings::<D>()?;
    release(2, 10, 1);
    assert_eq!(folded(&mut conn)?, 25);
    read(&meter("m"), &mut conn, 5, 1)?;
    assert_eq!((count(&mut conn, "snapshots")?, folded(&mut conn)?), (2, 0));
    release(1, 10, 1);
    assert_eq!(folded(&mut conn)?, 10);
    read(&meter("m"), &mut conn, 10, 1)?;
    assert_eq!((count(&mut conn, "snapshots")?, folded(&mut conn)?), (2, 0));
    Ok(())
}

/// Truncated, of another shape, of another event, of another stream, beyond the end.
fn one_that_cannot_be_used_is_none<D: TestDatabase>() -> Result {
    let other = "018f0000-0000-7000-8000-000000000001";
    let unusable = [
        "state = ''".to_owned(),
        "state = '{\"id\":\"m\",\"sum\":20'".to_owned(),
        "state = '{\"id\":\"m\",\"sum\":\"20\",\"odd\":{},\"last\":1}'".to_owned(),
        "state = 'null'".to_owned(),
        format!("event_id = '{other}'"),
        "aggregate_version = 19".to_owned(),
        "aggregate_version = 21".to_owned(),
        "aggregate_version = 1000".to_owned(),
        "aggregate_id = 'n'".to_owned(),
        "aggregate_type = 'Motor'".to_owned(),
        "tenant_id = 'acme'".to_owned(),
        "snapshot_version = 7".to_owned(),
    ];
    let (_db, mut conn) = with_25_readings::<D>()?;
    let event_of_20 = "(SELECT event_id FROM events WHERE aggregate_id = 'm' AND aggregate_version = 20)";
    for change in unusable {
        assert_eq!(changed(&mut conn, &format!("UPDATE snapshots SET {change}"))?, 1);
        assert_eq!(folded(&mut conn)?, 25, "{change}");
        execute(&mut conn, "DELETE FROM snapshots")?;
        execute(
            &mut conn,
            &format!(
                "INSERT INTO snapshots (tenant_id, aggregate_type, aggregate_id, snapshot_version, \
                 aggregate_version, event_id, state) SELECT '', 'Meter', 'm', 1, 20, {event_of_20}, \
                 '{{\"id\":\"m\",\"sum\":20,\"odd\":{{\"1\":20}},\"last\":1}}'"
            ),
        )?;
        assert_eq!(folded(&mut conn)?, 5, "after {change}");
    }
    Ok(())
}

/// The tables of the log are those of a backup, and other events have come since.
fn one_of_a_log_that_was_restored_is_none<D: TestDatabase>() -> Result {
    let (_db, mut conn) = with_25_readings::<D>()?;
    restore(&mut conn, Position::new(15)?)?;
    assert_eq!(folded(&mut conn)?, 15);
    release(1, 1000, 1);
    read(&meter("m"), &mut conn, 10, 1)?;
    assert_eq!(folded(&mut conn)?, 25);
    Ok(())
}

fn one_that_cannot_be_used_is_replaced<D: TestDatabase>() -> Result {
    let (_db, mut conn) = with_25_readings::<D>()?;
    changed(&mut conn, "UPDATE snapshots SET aggregate_version = 1000")?;
    read(&meter("m"), &mut conn, 5, 1)?;
    assert_eq!((at(&mut conn)?, folded(&mut conn)?), (30, 0));
    Ok(())
}

fn what_was_erased_is_gone_from_the_state_without_its_snapshots<D: TestDatabase>() -> Result {
    let (_db, mut conn) = with_25_readings::<D>()?;
    execute(&mut conn, "DELETE FROM snapshots WHERE aggregate_type = 'Meter' AND aggregate_id = 'm'")?;
    remove(&mut conn, "aggregate_id = 'm' AND aggregate_version <= 4")?;
    let loaded = meter("m").load(&mut conn)?;
    assert_eq!((loaded.state.sum, loaded.version), (21, 25));
    read(&meter("m"), &mut conn, 5, 1)?;
    assert_eq!((at(&mut conn)?, meter("m").load(&mut conn)?.state.sum), (30, 26));
    Ok(())
}

/// The database refuses it, alone and inside a transaction, which goes on.
fn one_that_cannot_be_written_stops_nothing<D: TestDatabase>() -> Result {
    let (_db, mut conn) = with_25_readings::<D>()?;
    create_app_rows(&mut conn)?;
    execute(&mut conn, "DELETE FROM snapshots")?;
    execute(&mut conn, "ALTER TABLE snapshots RENAME COLUMN state TO status")?;
    let refused = meter("m").load(&mut conn);
    assert!(matches!(refused, Err(LoadError::Database(_))), "what cannot be asked is told");
    execute(&mut conn, "ALTER TABLE snapshots RENAME COLUMN status TO state")?;
    execute(
        &mut conn,
        "ALTER TABLE snapshots ADD COLUMN why VARCHAR(9) NOT NULL DEFAULT 'x' CHECK (why <> 'x')",
    )?;
    assert_eq!(read(&meter("m"), &mut conn, 5, 1)?, 30);
    write_transaction(&mut conn, |conn| -> Result {
        insert_app_row(conn, "before")?;
        assert_eq!(read(&meter("m"), conn, 10, 1)?, 40);
        insert_app_row(conn, "after")?;
        Ok(())
    })?;
    assert_eq!(app_rows(&mut conn)?, ["after", "before"]);
    assert_eq!((count(&mut conn, "snapshots")?, folded(&mut conn)?), (0, 40));
    Ok(())
}

fn one_that_is_too_large_is_not_written<D: TestDatabase>() -> Result {
    release(1, 10, 1);
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let small = STORE.max_json_bytes(30).aggregate::<Meter>("m");
    read(&small, &mut conn, 20, 1)?;
    assert_eq!((at(&mut conn)?, folded(&mut conn)?), (0, 20));
    Ok(())
}

fn a_state_that_is_no_json_is_not_written<D: TestDatabase>() -> Result {
    release(1, 10, 1);
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    assert_eq!(read(&meter("m"), &mut conn, 10, -1)?, 10);
    assert_eq!(at(&mut conn)?, 0);
    Ok(())
}

fn tenants_are_apart<D: TestDatabase>() -> Result {
    let (_db, mut conn) = with_25_readings::<D>()?;
    let of_acme = meter("m").in_tenant("acme");
    read(&of_acme, &mut conn, 10, 3)?;
    assert_eq!((of_acme.load(&mut conn)?.state.sum, folded(&mut conn)?), (30, 5));
    assert_eq!(count(&mut conn, "snapshots")?, 2);
    Ok(())
}

fn callers_at_once_see_the_state_of_their_version<D: TestDatabase>() -> Result {
    let (db, mut conn) = with_25_readings::<D>()?;
    let mut conns = (0..6).map(|_| db.connect()).collect::<Result<Vec<_>>>()?;
    let outcomes = at_once(&mut conns, |_, conn| -> Result {
        release(1, 3, 1);
        for _ in 0..8 {
            let reading = |_: &Meter| Ok::<_, Infallible>(vec![MeterEvent::Read { kwh: 1 }]);
            let done = meter("m").attempts(100).update(conn, reading)?;
            assert_eq!(done.state.sum, done.version);
        }
        Ok(())
    });
    outcomes.into_iter().collect::<Result<()>>()?;
    assert!(folded(&mut conn)? < 25, "{}", FOLDED.get());
    Ok(())
}

/// The snapshot may be a later one.
fn a_repetition_gets_the_state_of_its_own_version<D: TestDatabase>() -> Result {
    release(1, 10, 1);
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let request = meter("m").idempotency_key("k");
    let reading = |_: &Meter| Ok::<_, Infallible>(vec![MeterEvent::Read { kwh: 1 }]);
    let first = request.clone().update(&mut conn, reading)?;
    read(&meter("m"), &mut conn, 30, 1)?;
    let again = request.update(&mut conn, reading)?;
    assert_eq!((again.state, again.version, again.is_repeat), (first.state, 1, true));
    Ok(())
}

fn a_changed_fold_is_found<D: TestDatabase>() -> Result {
    let (_db, mut conn) = with_25_readings::<D>()?;
    read(&meter("n"), &mut conn, 10, 0)?;
    let verify = |conn: &mut D::Conn, sample| STORE.verify_snapshots::<Meter>(conn, sample);
    let report = verify(&mut conn, 100)?;
    assert_eq!((report.checked(), report.is_sound(), report.unusable().len()), (2, true, 0));
    release(1, 10, 2);
    let report = verify(&mut conn, 100)?;
    assert_eq!((report.checked(), report.differing()), (2, &[StreamId::new("Meter", "m")?][..]));
    assert!(verify(&mut conn, 1)?.checked() == 1 && !verify(&mut conn, 1)?.is_sound(), "the oldest first");
    changed(&mut conn, "UPDATE snapshots SET state = '[' WHERE aggregate_id = 'm'")?;
    let report = verify(&mut conn, 100)?;
    assert_eq!((report.is_sound(), report.unusable()), (true, &[StreamId::new("Meter", "m")?][..]));
    assert!(matches!(verify(&mut conn, 0), Err(LoadError::Invalid(invalid)) if invalid.field() == "sample"));
    Ok(())
}

fn old_ones_are_deleted_on_demand<D: TestDatabase>() -> Result {
    let (_db, mut conn) = with_25_readings::<D>()?;
    changed(&mut conn, "UPDATE snapshots SET aggregate_type = 'Motor'")?;
    for version in 1..=3 {
        release(version, 10, 1);
        read(&meter("m"), &mut conn, 10, 1)?;
    }
    release(2, 10, 1);
    assert_eq!(STORE.delete_old_snapshots::<Meter>(&mut conn)?, 1);
    assert_eq!(STORE.delete_old_snapshots::<Meter>(&mut conn)?, 0);
    assert_eq!(count(&mut conn, "snapshots WHERE snapshot_version > 1")?, 2);
    assert_eq!(count(&mut conn, "snapshots WHERE aggregate_type = 'Motor'")?, 1);
    Ok(())
}

fn what_cannot_be_is_refused<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    for (version, every, field) in
        [(0, 10, "snapshot_version"), (-1, 10, "snapshot_version"), (1, 0, "every")]
    {
        release(version, every, 1);
        let refused = meter("m").update(&mut conn, |_| -> Result<_, Infallible> { panic!("it was decided") });
        let Err(ExecuteError::Load(LoadError::Invalid(invalid))) = refused else { panic!("{refused:?}") };
        assert_eq!(invalid.field(), field);
        for refused in [
            meter("m").load(&mut conn).map(drop),
            STORE.verify_snapshots::<Meter>(&mut conn, 1).map(drop),
            STORE.delete_old_snapshots::<Meter>(&mut conn).map(drop),
        ] {
            assert_eq!(Error::from(refused.unwrap_err()).to_string(), invalid.to_string());
        }
    }
    assert_eq!(count(&mut conn, "events")?, 0);
    Ok(())
}
