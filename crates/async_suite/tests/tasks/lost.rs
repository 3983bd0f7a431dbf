use async_suite::{AsyncMysql, AsyncPostgres, RUNTIME, Result, TestDatabase, counted, execute, names};
use real::{
    AppendError, AsyncEventConnection, AsyncEventStore, DatabaseErrorKind, ExpectedVersion, StreamId,
};

#[test]
fn a_connection_that_is_lost_says_so_postgres() -> Result {
    let database = AsyncPostgres::migrated()?;
    let conn = database.connect()?.into_inner();
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    execute(&mut database.connect()?, others)?;
    says_so(conn)
}

#[test]
fn a_connection_that_is_lost_says_so_mysql() -> Result {
    let database = AsyncMysql::migrated()?;
    let (conn, mut witness) = (database.connect()?.into_inner(), database.connect()?);
    let others = "SELECT CAST(id AS CHAR) AS name FROM information_schema.processlist \
                  WHERE db = DATABASE() AND id <> CONNECTION_ID()";
    for id in names(&mut witness, others)? {
        execute(&mut witness, &format!("KILL {id}"))?;
    }
    says_so(conn)
}

fn says_so<C: AsyncEventConnection>(mut conn: C) -> Result {
    let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    for _ in 0..2 {
        let lost = RUNTIME.block_on(store.append(&mut conn, &alice, ExpectedVersion::Any, &counted(1)?));
        assert!(
            matches!(&lost, Err(AppendError::Database(error))
                if error.kind() == DatabaseErrorKind::ConnectionLost && error.is_retryable()),
            "{lost:?}"
        );
    }
    Ok(())
}
