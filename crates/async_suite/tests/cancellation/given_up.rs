//! What a connection does that is marked as broken: nothing. What it wrote would be acknowledged, and go with
//! the transaction that was left open on it.

use async_suite::Result;
use real::{AsyncEventConnection, AsyncEventStore, DatabaseError, DatabaseErrorKind, Error, Position};

use super::operation::Run;

pub async fn refuses_everything<C: AsyncEventConnection>(conn: &mut C, name: &str) -> Result {
    let (store, run) = (AsyncEventStore::new(), Run::new(&format!("refused after {name}"))?);
    is_refused(run.append(conn).await, name);
    is_refused(store.version(conn, &run.streams[0]).await, name);
    is_refused(store.read_forward(conn, Position::START, 10).await, name);
    is_refused(store.log_id(conn).await, name);
    is_refused(store.save_checkpoint(conn, name, Position::new(1)?).await, name);
    is_refused(store.delete_keys_before(conn, real::chrono::Utc::now()).await, name);
    Ok(())
}

fn is_refused<T: std::fmt::Debug, E: Into<Error>>(outcome: Result<T, E>, name: &str) {
    let outcome = outcome.map_err(Into::into);
    assert!(outcome.as_ref().is_err_and(is_given_up), "after {name}: {outcome:?}");
}

pub fn is_given_up(error: &Error) -> bool {
    let database = match error {
        Error::Append(real::AppendError::Database(error)) => Some(error),
        Error::Read(real::ReadError::Database(error)) => Some(error),
        Error::Checkpoint(real::CheckpointError::Database(error)) => Some(error),
        Error::Database(error) => Some(error),
        _ => None,
    };
    database.map(DatabaseError::kind) == Some(DatabaseErrorKind::ConnectionLost)
}
