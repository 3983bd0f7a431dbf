use async_suite::{AsyncPostgres, RUNTIME, Result, TestDatabase, counted, execute};
use real::{AppendError, AsyncEventStore, DatabaseErrorKind, ExpectedVersion, StreamId};

#[test]
fn a_connection_that_is_lost_says_so_postgres() -> Result {
    let database = AsyncPostgres::migrated()?;
    let mut conn = database.connect()?.into_inner();
    let (store, alice) = (AsyncEventStore::new(), StreamId::new("User", "alice")?);
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    execute(&mut database.connect()?, others)?;
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
