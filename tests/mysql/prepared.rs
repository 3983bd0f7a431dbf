//! What is done again and again is prepared once.

use std::sync::{Arc, Mutex};

use diesel::connection::InstrumentationEvent;
use diesel::prelude::*;
use diesel_event_store::{ExpectedVersion, LogOrdering, Position};
use test_support::{Result, counted, user};

use super::database::{Database, STORE};

/// Runs something three times. Everything but transaction control is prepared to be kept the first time, or
/// the second if it takes another way then, and nothing is prepared the third time.
fn assert_prepared_once(name: &str, work: impl Fn(&mut MysqlConnection) -> Result) -> Result {
    for ordering in [LogOrdering::Fenced, LogOrdering::Gapless] {
        let db = Database::migrated()?;
        let mut conn = db.connect()?;
        STORE.set_log_ordering(&mut conn, ordering)?;
        work(&mut conn)?;
        work(&mut conn)?;

        let run: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = Arc::clone(&run);
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            let mut noted = noted.lock().expect("nobody panics with it");
            match event {
                InstrumentationEvent::StartQuery { query, .. } => noted.push(format!("run {query}")),
                InstrumentationEvent::CacheQuery { sql, .. } => noted.push(format!("prepare {sql}")),
                _ => {}
            }
        });
        work(&mut conn)?;
        let run = run.lock().expect("nobody panics with it");
        assert!(run.iter().any(|statement| statement.starts_with("run ")), "{name}");
        let prepared: Vec<_> = run.iter().filter(|statement| statement.starts_with("prepare ")).collect();
        assert!(prepared.is_empty(), "{name}: {prepared:#?}");
    }
    Ok(())
}

#[test]
fn an_append_prepares_nothing_twice() -> Result {
    for size in [1, 3, 64, 100] {
        assert_prepared_once("Any", |conn| {
            STORE.append(conn, &user("alice")?, ExpectedVersion::Any, &counted(size)?)?;
            Ok(())
        })?;
        assert_prepared_once("Exact", |conn| {
            let version = STORE.version(conn, &user("alice")?)?;
            STORE.append(conn, &user("alice")?, ExpectedVersion::Exact(version), &counted(size)?)?;
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn a_read_prepares_nothing_twice() -> Result {
    assert_prepared_once("a page of the log", |conn| {
        STORE.append(conn, &user("alice")?, ExpectedVersion::Any, &counted(1)?)?;
        STORE.read_forward(conn, Position::START, 10)?;
        STORE.last_position(conn)?;
        STORE.read_stream(conn, &user("alice")?, ..)?;
        STORE.save_checkpoint(conn, "projection", Position::new(1)?)?;
        STORE.checkpoint(conn, "projection")?;
        Ok(())
    })
}
