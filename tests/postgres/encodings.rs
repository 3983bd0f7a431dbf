//! Databases in which not every text can be kept.

use std::fs;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_event_store::{MigrationError, run_pending_migrations};
use test_support::{self, Postgres, TestDatabase};

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
