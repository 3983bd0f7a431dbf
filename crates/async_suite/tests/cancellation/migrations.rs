//! Migrations that are dropped, and then run again.

use async_suite::{
    AsyncMysql, AsyncPostgres, AsyncSqlite, RUNTIME, Result, TestDatabase, execute, table_exists,
};
use real::async_run_pending_migrations;

use super::database::Database;
use super::dropped::Drops;

#[test]
fn migrations_have_run_or_not_postgres() -> Result {
    let database = AsyncPostgres::create()?;
    for drops in Drops::all() {
        execute(&mut database.connect()?, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")?;
        if dropped(&database, drops)? {
            break;
        }
    }
    Ok(())
}

/// On MySQL and MariaDB they may have run in part. The next run clears that away.
#[test]
fn migrations_have_run_or_not_mysql() -> Result {
    in_a_new_database_each::<AsyncMysql>()
}

#[test]
fn migrations_have_run_or_not() -> Result {
    in_a_new_database_each::<AsyncSqlite>()
}

fn in_a_new_database_each<D: Database>() -> Result {
    for drops in Drops::all() {
        if dropped(&D::create()?, drops)? {
            break;
        }
    }
    Ok(())
}

/// Whether they were ready before they were dropped.
fn dropped<D: Database>(database: &D, drops: Drops) -> Result<bool> {
    let mut conn = database.open()?;
    let finished =
        RUNTIME.block_on(drops.cut(async_run_pending_migrations(&mut conn))).transpose()?.is_some();
    drop(conn);
    let mut witness = database.connect()?;
    let applied = async_suite::run_pending_migrations(&mut witness)?;
    assert!(!finished || applied.is_empty(), "{drops:?}: {applied:?}");
    assert!(table_exists(&mut witness, "events") && table_exists(&mut witness, "aggregate_heads"));
    Ok(finished)
}
