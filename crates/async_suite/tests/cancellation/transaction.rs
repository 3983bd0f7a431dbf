//! In the transaction of an application that goes on and commits.

use async_suite::{AsyncMysql, AsyncPostgres, AsyncSqlite, EventStore, RUNTIME, Result, app_rows, execute};

use super::application::{begin, commit, insert, is_marked_as_broken};
use super::database::Database;
use super::dropped::Drops;
use super::given_up::refuses_everything;
use super::operation::{Operation, Run, every_operation};

#[test]
fn a_commit_that_says_so_has_committed_postgres() -> Result {
    every_operation::<AsyncPostgres>(dropped)
}

#[test]
fn a_commit_that_says_so_has_committed_mysql() -> Result {
    every_operation::<AsyncMysql>(dropped)
}

#[test]
fn a_commit_that_says_so_has_committed() -> Result {
    every_operation::<AsyncSqlite>(dropped)
}

/// Whether the operation was ready before it was dropped.
fn dropped<D: Database>(database: &D, operation: Operation, drops: Drops) -> Result<bool> {
    let (mut conn, mut witness) = (database.open()?, database.connect()?);
    let name = format!("{operation:?} {drops:?}");
    let run = Run::new(&name)?;
    execute(&mut witness, "DELETE FROM app_rows")?;
    EventStore::new().publish_position(&mut witness)?; // up to which a transaction reads the log

    let (finished, committed) = RUNTIME.block_on(async {
        begin(&mut conn).await?;
        insert(&mut conn, "before").await?;
        let finished = drops.cut(operation.run(&mut conn, &run)).await.transpose()?.is_some();
        if is_marked_as_broken(&mut conn) {
            refuses_everything(&mut conn, &name).await?;
        }
        let committed = match insert(&mut conn, "after").await {
            Ok(()) => commit(&mut conn).await,
            Err(error) => Err(error),
        };
        Ok::<_, async_suite::BoxError>((finished, committed))
    })?;
    assert!(!finished || committed.is_ok(), "{name}: {committed:?}");
    drop(conn); // with what is open on it

    let rows: &[&str] = if committed.is_ok() { &["after", "before"] } else { &[] };
    assert_eq!(app_rows(&mut witness)?, rows, "after {name} the commit said {committed:?}");
    run.check(operation, &mut witness)?;
    if committed.is_err() {
        assert_eq!(run.versions(&mut witness)?, [0, 0], "{name}: events without the rows");
    }
    Ok(finished)
}
