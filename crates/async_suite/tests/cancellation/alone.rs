//! On a connection with no transaction open, which is then used further.

use async_suite::{AsyncMysql, AsyncPostgres, AsyncSqlite, RUNTIME, Result};
use diesel_async::pooled_connection::PoolableConnection;
use real::AppendError;

use super::database::Database;
use super::dropped::Drops;
use super::given_up::refuses_everything;
use super::operation::{Operation, Run, every_operation};

#[test]
fn an_operation_alone_has_happened_or_not_postgres() -> Result {
    every_operation::<AsyncPostgres>(dropped)
}

#[test]
fn an_operation_alone_has_happened_or_not_mysql() -> Result {
    every_operation::<AsyncMysql>(dropped)
}

#[test]
fn an_operation_alone_has_happened_or_not() -> Result {
    every_operation::<AsyncSqlite>(dropped)
}

/// Whether it was ready before it was dropped.
fn dropped<D: Database>(database: &D, operation: Operation, drops: Drops) -> Result<bool> {
    let (mut conn, mut witness) = (database.open()?, database.connect()?);
    let name = format!("{operation:?} {drops:?}");
    let (run, next) = (Run::new(&name)?, Run::new(&format!("after {name}"))?);

    let finished = RUNTIME.block_on(drops.cut(operation.run(&mut conn, &run))).transpose()?.is_some();

    if conn.is_broken() {
        assert!(!finished, "{name} has broken the connection");
        RUNTIME.block_on(refuses_everything(&mut conn, &name))?;
        conn = database.open()?;
    }
    run.check(operation, &mut witness)?;
    if operation == Operation::Append {
        let again = RUNTIME.block_on(run.append(&mut conn));
        assert!(matches!(again, Ok(()) | Err(AppendError::DuplicateEventId { .. })), "{name}: {again:?}");
        assert!(!finished || again.is_err(), "{name} was acknowledged");
        assert_eq!(run.versions(&mut witness)?[0], 1, "{name} again");
    }
    if operation == Operation::ExecuteOnce {
        RUNTIME.block_on(run.execute_once(&mut conn))?;
        assert_eq!(run.versions(&mut witness)?[0], 2, "{name} again");
    }
    RUNTIME.block_on(next.append(&mut conn))?;
    assert_eq!(next.versions(&mut witness)?[0], 1, "acknowledged after {name}");
    Ok(finished)
}
