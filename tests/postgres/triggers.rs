//! Triggers and indexes of the application's own on the tables of the store.

use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind as DieselKind, Error as DieselError};
use diesel_event_store::{
    AppendBatch, AppendError, DatabaseErrorKind, Error, EventStore, ExpectedVersion, NewEvent, StreamId,
};
use test_support::witness::{append_one, begin, commit, kind};
use test_support::{self, Postgres, TestDatabase, count};

const STORE: EventStore = EventStore::new();

const DROP_UNWANTED: &str = "CREATE FUNCTION drop_unwanted() RETURNS TRIGGER LANGUAGE plpgsql AS \
    $$ BEGIN RETURN CASE WHEN NEW.event_type <> 'Unwanted' THEN NEW END; END $$; \
    CREATE TRIGGER drop_unwanted BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION drop_unwanted()";

fn append(conn: &mut PgConnection, types: &[&'static str]) -> Result<i64, AppendError> {
    let events: Result<Vec<_>, _> = types.iter().map(|name| NewEvent::new(*name, &())).collect();
    let stream = StreamId::new("Filtered", 1)?;
    Ok(STORE.append(conn, &stream, ExpectedVersion::Any, &events?)?.version())
}

fn append_batch(conn: &mut PgConnection, types: &[&'static str]) -> Result<i64, AppendError> {
    let events: Result<Vec<_>, _> = types.iter().map(|name| NewEvent::new(*name, &())).collect();
    let batch = AppendBatch::new().append(&StreamId::new("Filtered", 1)?, ExpectedVersion::Any, events?);
    let batch = batch.idempotency_key(types.concat());
    Ok(STORE.append_batch(conn, &batch)?.streams()[0].version())
}

#[test]
fn one_that_drops_events_does_not_leave_a_part_of_an_append() -> test_support::Result {
    for append in [append, append_batch] {
        let database = Postgres::migrated()?;
        let mut conn = database.connect()?;
        append_one(&mut conn, "Before")?; // its statement is prepared
        conn.batch_execute(DROP_UNWANTED)?;
        for is_in_a_transaction in [false, true] {
            if is_in_a_transaction {
                begin(&mut conn)?;
            }
            for types in [&["Unwanted"][..], &["Wanted", "Unwanted"], &["Unwanted", "Wanted"]] {
                let refused = Error::from(append(&mut conn, types).expect_err("some would be missing"));
                assert_eq!(kind(&refused), Some(DatabaseErrorKind::UnsuitableSetting), "{refused}");
                assert!(refused.to_string().contains("a trigger has kept 1 of"), "{refused}");
            }
            if is_in_a_transaction {
                append_one(&mut conn, "In the same transaction")?;
                commit(&mut conn)?;
            }
        }
        assert_eq!(append(&mut conn, &["Wanted", "Wanted"])?, 2, "nothing of the others is there");
        assert_eq!(count(&mut conn, "events")?, 4);
        conn.batch_execute("DROP TRIGGER drop_unwanted ON events")?;
        assert_eq!(append(&mut conn, &["Unwanted"])?, 3);
    }
    Ok(())
}

#[test]
fn one_that_keeps_heads_where_they_are_is_named() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    assert_eq!(append(&mut conn, &["First"])?, 1);
    conn.batch_execute(
        "CREATE FUNCTION keep() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; \
         CREATE TRIGGER keep BEFORE UPDATE ON aggregate_heads FOR EACH ROW EXECUTE FUNCTION keep()",
    )?;
    let refused = Error::from(append(&mut conn, &["Second"]).expect_err("it cannot be counted"));
    assert_eq!(kind(&refused), Some(DatabaseErrorKind::UnsuitableSetting), "{refused}");
    assert_eq!(count(&mut conn, "events")?, 1);
    Ok(())
}

/// It is the application's rule, and nothing is in need of repair.
#[test]
fn a_unique_index_of_the_application_is_violated_as_such() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    conn.batch_execute(
        "CREATE UNIQUE INDEX once ON events (correlation_id) WHERE event_type = 'Paid'; \
         CREATE UNIQUE INDEX alone ON events (aggregate_type) WHERE event_type = 'Alone'",
    )?;
    let append = |conn: &mut PgConnection, id: i32, name: &'static str| -> test_support::Result<_> {
        let event = NewEvent::new(name, &())?.correlation_id("request");
        Ok(STORE.append(conn, &StreamId::new("Payment", id)?, ExpectedVersion::Any, &[event]))
    };
    for (nth, name) in ["Paid", "Alone"].into_iter().enumerate() {
        append(&mut conn, nth as i32 * 10, name)??;
        match append(&mut conn, nth as i32 * 10 + 1, name)? {
            Err(AppendError::Database(refused)) => {
                assert_eq!(refused.kind(), DatabaseErrorKind::Other, "{refused}");
                let error = refused.diesel_error();
                assert!(
                    matches!(error, DieselError::DatabaseError(DieselKind::UniqueViolation, _)),
                    "{error}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(STORE.repair(&mut conn)?.is_nothing());
    Ok(())
}

/// It came in between once, so that PostgreSQL has a plan of whether there are such triggers.
#[test]
fn one_that_is_created_after_an_append_was_overtaken_is_known() -> test_support::Result {
    let database = Postgres::migrated()?;
    let (mut conn, mut other) = (database.connect()?, database.connect()?);
    let stream = StreamId::new("Raced", 1)?;
    let event = NewEvent::new("Raced", &())?;
    let mut is_to_overtake = true;
    conn.set_instrumentation(move |told: InstrumentationEvent<'_>| {
        let InstrumentationEvent::StartQuery { query, .. } = told else { return };
        if is_to_overtake && query.to_string().contains("SELECT max(aggregate_version) FROM events") {
            is_to_overtake = false;
            let stream = StreamId::new("Raced", 1).expect("a name");
            let first = [event.clone()];
            STORE.append(&mut other, &stream, ExpectedVersion::NoStream, &first).expect("the first");
        }
    });
    let event = NewEvent::new("Raced", &())?;
    let done = STORE.append(&mut conn, &stream, ExpectedVersion::Exact(1), &[event])?;
    assert_eq!(done.version(), 2, "the first event came when the append had just not found it");
    database.connect()?.batch_execute(
        "CREATE FUNCTION look_on() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$; \
         CREATE TRIGGER look_on BEFORE INSERT ON aggregate_heads FOR EACH ROW EXECUTE FUNCTION look_on()",
    )?;
    append_one(&mut conn, "Appended")?;
    assert_eq!(count(&mut conn, "events")?, 3);
    Ok(())
}

#[test]
fn one_that_keeps_new_heads_out_is_named() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    assert_eq!(append(&mut conn, &["First"])?, 1);
    conn.batch_execute(
        "CREATE FUNCTION keep() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; \
         CREATE TRIGGER keep BEFORE INSERT ON aggregate_heads FOR EACH ROW \
         WHEN (NEW.aggregate_id = 'nobody') EXECUTE FUNCTION keep()",
    )?;
    let nobody = StreamId::new("Filtered", "nobody")?;
    let event = || [NewEvent::new("Second", &()).expect("it is JSON")];
    let guarded = AppendBatch::new()
        .append(&StreamId::new("Filtered", 1)?, ExpectedVersion::Any, event())
        .guard(&nobody, ExpectedVersion::NoStream);
    let refusals = [
        STORE.append_batch(&mut conn, &guarded).map(drop),
        STORE.append(&mut conn, &nobody, ExpectedVersion::NoStream, &event()).map(drop),
    ];
    for refused in refusals {
        let refused = Error::from(refused.expect_err("it cannot be kept out"));
        assert_eq!(kind(&refused), Some(DatabaseErrorKind::UnsuitableSetting), "{refused}");
        assert!(refused.to_string().contains("a trigger has kept the head"), "{refused}");
    }
    assert_eq!(count(&mut conn, "events")?, 1);
    Ok(())
}

#[test]
fn one_that_drops_keys_is_named() -> test_support::Result {
    let database = Postgres::migrated()?;
    let mut conn = database.connect()?;
    conn.batch_execute(
        "CREATE FUNCTION drop_it() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; \
         CREATE TRIGGER drop_it BEFORE INSERT ON append_keys FOR EACH ROW EXECUTE FUNCTION drop_it()",
    )?;
    let refused = Error::from(append_batch(&mut conn, &["First"]).expect_err("it has no key"));
    assert_eq!(kind(&refused), Some(DatabaseErrorKind::UnsuitableSetting), "{refused}");
    assert!(refused.to_string().contains("a trigger has kept the idempotency key"), "{refused}");
    assert_eq!(count(&mut conn, "events")?, 0);
    Ok(())
}
