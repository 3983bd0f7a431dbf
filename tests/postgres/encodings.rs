//! Databases in which not every text can be kept, and sessions in which it would not be what it is.

use std::fs;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_event_store::{
    AppendBatch, DatabaseErrorKind, Error, EventStore, ExpectedVersion, LogOrdering, MigrationError,
    NewEvent, Position, StreamId, run_pending_migrations,
};
use test_support::witness::kind;
use test_support::{self, Postgres, TestDatabase, count};

/// Another database beside that of the test, gone when it is dropped.
struct Encoded {
    beside: Postgres,
    name: String,
}

impl Encoded {
    fn create(encoding: &str) -> test_support::Result<Self> {
        let beside = Postgres::create()?;
        let name = format!("des_test_{}", diesel_event_store::uuid::Uuid::now_v7().simple());
        diesel::sql_query(format!(
            "CREATE DATABASE {name} ENCODING '{encoding}' LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C' \
             TEMPLATE template0"
        ))
        .execute(&mut beside.connect()?)?;
        Ok(Self { beside, name })
    }

    fn connect(&self) -> test_support::Result<PgConnection> {
        let url = self.beside.url();
        let (server, database) = url.rsplit_once('/').expect("a URL names a database");
        let parameters = database.find('?').map_or("", |at| &database[at..]);
        Ok(PgConnection::establish(&format!("{server}/{}{parameters}", self.name))?)
    }
}

impl Drop for Encoded {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let dropped = self.beside.connect().map(|mut conn| diesel::sql_query(drop).execute(&mut conn));
        if let Err(error) = dropped {
            eprintln!("DROP DATABASE {}: {error}", self.name);
        }
    }
}

#[test]
fn they_are_refused_before_anything_is_made() -> test_support::Result {
    for encoding in ["LATIN1", "SQL_ASCII", "EUC_JP"] {
        let database = Encoded::create(encoding)?;
        let mut conn = database.connect()?;
        let refused = run_pending_migrations(&mut conn).unwrap_err();
        assert!(
            matches!(&refused, MigrationError::Encoding { encoding: named, .. } if named == encoding),
            "{refused:?}"
        );
        assert!(refused.to_string().contains("UTF8 database"), "{refused}");
        assert!(!refused.is_retryable());
        assert!(!test_support::table_exists(&mut conn, "events"));
        assert!(!test_support::table_exists(&mut conn, "__diesel_schema_migrations"));
    }
    Ok(())
}

/// `diesel migration run` says it, too: the server must understand the file.
#[test]
fn the_sql_of_the_migrations_refuses_them_by_itself() -> test_support::Result {
    for migration in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres"))? {
        let sql = fs::read_to_string(migration?.path().join("up.sql"))?;
        let database = Encoded::create("LATIN1")?;
        let mut conn = database.connect()?;
        let refused = conn.batch_execute(&sql).unwrap_err();
        assert!(refused.to_string().contains("needs a UTF8 database"), "{refused}");
    }
    Ok(())
}

/// The server would make other characters of what it is sent, and of what it sends.
#[test]
fn another_encoding_of_the_session_is_refused() -> test_support::Result {
    let store = EventStore::new();
    for ordering in [LogOrdering::Fenced, LogOrdering::Gapless] {
        let database = Postgres::migrated()?;
        let mut writer = database.connect()?;
        store.set_log_ordering(&mut writer, ordering)?;
        let stream = StreamId::new("Order", "\u{e9}")?;
        let event = || NewEvent::from_json("Said", "{\"text\": \"\u{e9}\"}");
        let there = event()?;
        store.append(&mut writer, &stream, ExpectedVersion::NoStream, std::slice::from_ref(&there))?;
        let mut conn = database.connect()?;
        let tried = |conn: &mut PgConnection| -> test_support::Result<[Result<(), Error>; 7]> {
            let batch = || -> test_support::Result<_> {
                Ok(AppendBatch::new().append(&stream, ExpectedVersion::Any, [event()?]))
            };
            Ok([
                store.append(conn, &stream, ExpectedVersion::Any, &[event()?]).map(drop).map_err(Error::from),
                store.append_batch(conn, &batch()?).map(drop).map_err(Error::from),
                store.append_batch(conn, &batch()?.idempotency_key("key")).map(drop).map_err(Error::from),
                store.read_forward(conn, Position::START, 10).map(drop).map_err(Error::from),
                store.read_stream(conn, &stream, ..).map(drop).map_err(Error::from),
                store.read_event(conn, there.id()).map(drop).map_err(Error::from),
                store.iter_stream(conn, &stream, ..).next().transpose().map(drop).map_err(Error::from),
            ])
        };
        for setting in ["SET client_encoding TO LATIN1", "SET NAMES 'SQL_ASCII'"] {
            conn.batch_execute(setting)?;
            for (nth, refused) in tried(&mut conn)?.into_iter().enumerate() {
                let refused = refused.err().ok_or(format!("{setting}: {nth}"))?;
                assert_eq!(kind(&refused), Some(DatabaseErrorKind::UnsuitableSetting), "{nth}: {refused}");
                assert!(refused.to_string().contains("SET client_encoding TO 'UTF8'"), "{nth}: {refused}");
            }
            assert_eq!(count(&mut writer, "events")?, 1, "{setting}");
            conn.batch_execute("SET client_encoding TO 'UTF8'")?;
        }
        for done in tried(&mut conn)? {
            done?;
        }
    }
    Ok(())
}
