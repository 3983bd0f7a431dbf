use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel_event_store::{Error, ExpectedVersion, LogQuery, NewEvent, Position};
use test_support::sqlite_file::SqliteFile;

use super::database::{STORE, events, stream};
use super::statements::{Watch, table_of_insert};

const TIMES: i64 = 3;

/// Runs something several times, and asserts that each of its statements was prepared once and then kept.
fn assert_prepared_once(name: &str, work: impl Fn(&mut SqliteConnection, i64) -> Result<(), Error>) {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    let watch = Watch::on(&mut conn);
    for nth in 0..TIMES {
        work(&mut conn, nth).unwrap();
    }

    let statements = watch.statements();
    let mut prepared: BTreeMap<&str, usize> = BTreeMap::new();
    for sql in &statements.run {
        prepared.entry(sql).or_default();
    }
    assert!(!prepared.is_empty(), "{name} has run no statement");
    for sql in &statements.kept {
        *prepared.entry(sql).or_default() += 1;
    }
    for (sql, times) in prepared {
        assert_eq!(times, 1, "{name}: times that this statement was prepared to be kept: {sql}");
    }
}

fn append(
    conn: &mut SqliteConnection,
    id: i64,
    expected: ExpectedVersion,
    batch: &[NewEvent],
) -> Result<(), Error> {
    STORE.append(conn, &stream(&id.to_string()), expected, batch)?;
    Ok(())
}

#[test]
fn an_append_prepares_nothing_twice() {
    use ExpectedVersion::{Any, Exact, NoStream, StreamExists};
    for size in [1, 10] {
        assert_prepared_once("Any", |conn, _| append(conn, 1, Any, &events(size)));
        assert_prepared_once("NoStream", |conn, nth| append(conn, nth, NoStream, &events(size)));
        assert_prepared_once("Exact(0)", |conn, nth| append(conn, nth, Exact(0), &events(size)));
        assert_prepared_once("Exact after NoStream", |conn, nth| {
            append(conn, nth, NoStream, &events(size))?;
            append(conn, nth, Exact(size as i64), &events(size))
        });
        assert_prepared_once("StreamExists after Any", |conn, _| {
            append(conn, 1, Any, &events(size))?;
            append(conn, 1, StreamExists, &events(size))
        });
    }
}

#[test]
fn an_append_with_everything_an_event_can_have_is_the_same_statement_as_one_with_little() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    let watch = Watch::on(&mut conn);
    let full = NewEvent::new("Placed", &1)
        .and_then(|event| event.metadata(&2))
        .unwrap()
        .trace_id("trace")
        .correlation_id("correlation")
        .causation_id("causation");
    append(&mut conn, 1, ExpectedVersion::Any, &[full]).unwrap();
    append(&mut conn, 1, ExpectedVersion::Any, &events(1)).unwrap();

    let statements = watch.statements();
    let inserts = statements.kept.iter().filter(|sql| table_of_insert(sql) == Some("events"));
    assert_eq!(inserts.count(), 1, "{:#?}", statements.kept);
}

/// SQLite prepares a statement with a bound LIMIT again whenever the value is bound, and diesel does not see
/// that.
#[test]
fn a_look_up_by_a_key_has_no_limit() {
    let database = SqliteFile::migrated();
    let mut conn = database.connect();
    let watch = Watch::on(&mut conn);
    STORE.version(&mut conn, &stream("1")).unwrap();
    STORE.read_event(&mut conn, events(1)[0].id()).unwrap();
    STORE.checkpoint(&mut conn, "invoices").unwrap();
    STORE.last_position(&mut conn).unwrap();

    let statements = watch.statements();
    assert_eq!(statements.run.len(), 4);
    let limited = statements.run.iter().find(|sql| sql.contains("LIMIT"));
    assert_eq!(limited, None);
}

#[test]
fn an_append_in_the_application_s_transaction_prepares_nothing_twice() {
    assert_prepared_once("in a transaction", |conn, _| {
        conn.immediate_transaction(|conn| append(conn, 1, ExpectedVersion::Any, &events(2)))
    });
}

#[test]
fn a_conflict_prepares_nothing_twice() {
    assert_prepared_once("conflict", |conn, _| {
        let refused = append(conn, 1, ExpectedVersion::Exact(7), &events(1));
        assert!(refused.unwrap_err().conflict().is_some());
        Ok(())
    });
}

#[test]
fn reading_a_stream_prepares_nothing_twice() {
    assert_prepared_once("read_stream", |conn, nth| {
        append(conn, 1, ExpectedVersion::Any, &events(5))?;
        STORE.read_stream(conn, &stream("1"), ..)?;
        STORE.read_stream(conn, &stream("2"), 1 + nth..)?;
        STORE.iter_stream(conn, &stream("1"), ..).page_size(2).try_for_each(|event| event.map(drop))?;
        Ok(())
    });
    assert_prepared_once("version", |conn, _| {
        STORE.version(conn, &stream("1"))?;
        Ok(())
    });
}

#[test]
fn reading_the_log_prepares_nothing_twice() {
    assert_prepared_once("read_forward", |conn, nth| {
        append(conn, 1, ExpectedVersion::Any, &events(5))?;
        STORE.read_forward(conn, Position::new(nth)?, 2)?;
        STORE.iter_log(conn, LogQuery::after(Position::START)).page_size(2).try_for_each(|e| e.map(drop))?;
        Ok(())
    });
    assert_prepared_once("read_backward", |conn, _| {
        STORE.read_backward(conn, Position::END, 2)?;
        Ok(())
    });
    assert_prepared_once("last_position", |conn, _| {
        STORE.last_position(conn)?;
        Ok(())
    });
}

#[test]
fn a_filter_is_the_same_statement_for_any_number_of_names() {
    let names = ["one", "two", "three"];
    assert_prepared_once("filters", |conn, nth| {
        let some = names.iter().copied().take(1 + nth as usize);
        let query = LogQuery::after(Position::START).aggregate_types(some.clone()).event_types(some);
        STORE.read_log(conn, &query, 10)?;
        STORE.read_log(conn, &query.correlation_id(nth), 10)?;
        Ok(())
    });
}

#[test]
fn reading_an_event_by_its_id_prepares_nothing_twice() {
    assert_prepared_once("read_event", |conn, nth| {
        STORE.read_event(conn, diesel_event_store::uuid::Uuid::from_u128(nth as u128))?;
        Ok(())
    });
}

#[test]
fn checkpoints_prepare_nothing_twice() {
    assert_prepared_once("checkpoints", |conn, nth| {
        STORE.save_checkpoint(conn, "invoices", Position::new(nth)?)?;
        STORE.checkpoint(conn, "invoices")?;
        STORE.checkpoints(conn)?;
        STORE.delete_checkpoint(conn, "invoices")?;
        STORE.rewind_checkpoint(conn, "invoices", Position::START)?;
        Ok(())
    });
}
