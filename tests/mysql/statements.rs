//! What is prepared belongs to the application's connection, as it has set it up.

use diesel::connection::{CacheSize, Connection};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_event_store::ExpectedVersion;

use super::database::{Database, STORE, append, kind_of};
use diesel_event_store::DatabaseErrorKind;
use test_support::{Result, counted, execute, user};

#[derive(QueryableByName)]
struct Variable {
    #[diesel(sql_type = Text, column_name = "Value")]
    value: String,
}

/// How many statements the connection has prepared.
fn prepared(conn: &mut MysqlConnection) -> Result<i64> {
    let query = diesel::sql_query("SHOW SESSION STATUS LIKE 'Com_stmt_prepare'");
    Ok(query.get_result::<Variable>(conn)?.value.parse()?)
}

/// Whether a statement that this crate sends again is prepared again.
fn keeps_statements(conn: &mut MysqlConnection) -> Result<bool> {
    STORE.version(conn, &user("nobody")?)?;
    let before = prepared(conn)?;
    STORE.version(conn, &user("nobody")?)?;
    Ok(prepared(conn)? - before == 1)
}

/// All the ways in which an append and a transaction of the crate's own can fail among rows.
fn fail(db: &Database, conn: &mut MysqlConnection) -> Result {
    let event = counted(1)?;
    STORE.append(conn, &user("alice")?, ExpectedVersion::Any, &event)?;
    STORE.append(conn, &user("bob")?, ExpectedVersion::Any, &event).expect_err("its id is recorded");
    STORE.append(conn, &user("alice")?, ExpectedVersion::NoStream, &counted(1)?).expect_err("it exists");

    let mut other = db.connect()?;
    execute(conn, "SET SESSION innodb_lock_wait_timeout = 1")?;
    let locked = other.transaction(|other| -> Result<_> {
        execute(other, "SELECT * FROM event_fence FOR UPDATE")?;
        Ok(kind_of(append(conn, "carol").expect_err("the fence is locked")))
    })?;
    assert_eq!(locked, DatabaseErrorKind::Locked);
    Ok(())
}

#[test]
fn the_cache_of_prepared_statements_stays_as_the_application_has_set_it() -> Result {
    for size in [CacheSize::Disabled, CacheSize::Unbounded] {
        let db = Database::migrated()?;
        let mut conn = db.connect()?;
        conn.set_prepared_statement_cache_size(size);
        let before = keeps_statements(&mut conn)?;
        assert_eq!(before, matches!(size, CacheSize::Unbounded));
        fail(&db, &mut conn)?;
        assert_eq!(keeps_statements(&mut conn)?, before);
    }
    Ok(())
}
