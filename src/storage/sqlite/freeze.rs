//! A trigger that is created on demand refuses events, so that an open log pays nothing.

use std::thread;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};
use diesel::sqlite::Sqlite;

use super::transactions::all_or_nothing;
use crate::model::log_state::{LogClosed, LogState};
use crate::model::log_status::LogHolder;
use crate::model::partition::MOVED_AWAY;
use crate::storage::error::DatabaseError;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::freeze::Freeze;
use crate::storage::lent;
use crate::storage::sql::lease::GiveBack;
use crate::storage::sql::statement::statement;

statement! {
    for Sqlite;
    SetFrozen<'a> { note: &'a str => Text },
    "UPDATE event_log SET state = 'frozen', note = ? WHERE id = 1 AND state = 'open'"
}

statement! {
    for Sqlite;
    SetOpen<'a> { note: &'a str => Text },
    "UPDATE event_log SET state = 'open', note = NULL \
     WHERE id = 1 AND state = 'frozen' AND coalesce(note, '') = ?"
}

statement! {
    for Sqlite;
    SelectBusyTimeout -> Integer,
    "SELECT timeout FROM pragma_busy_timeout"
}

pub(super) const REFUSE_INSERT: &str = "events_refuse_insert";

/// How long an attempt looks for a moment in which no connection writes.
const ATTEMPT: Duration = Duration::from_millis(200);

const PAUSE: Duration = Duration::from_millis(1);

impl Freeze for lent::Sqlite<'_> {
    async fn freeze(&mut self, note: &str) -> QueryResult<()> {
        eagerly(self.0, |conn| {
            if (SetFrozen { note }).execute(conn)? == 1 {
                refuse_inserts(conn, LogState::Frozen, note)?;
            }
            Ok(())
        })
    }

    async fn unfreeze(&mut self, note: &str) -> QueryResult<bool> {
        eagerly(self.0, |conn| {
            let is_opened = (SetOpen { note }).execute(conn)? == 1;
            if is_opened {
                allow_inserts(conn)?;
                (GiveBack { owner: MOVED_AWAY }).execute(conn)?;
            }
            Ok(is_opened)
        })
    }

    /// An attempt is all or nothing.
    async fn settle(&mut self) -> QueryResult<()> {
        Ok(())
    }

    /// SQLite does not tell.
    async fn in_the_way(&mut self) -> QueryResult<Vec<LogHolder>> {
        Ok(Vec::new())
    }
}

/// While SQLite itself waits for the write lock, it looks ever more rarely, and finds writers that follow
/// each other closely again and again. No writer waits for this.
fn eagerly<T>(
    conn: &mut SqliteConnection,
    work: impl Fn(&mut SqliteConnection) -> Result<T, DatabaseError>,
) -> QueryResult<T> {
    let (begin, busy_timeout) = (Instant::now(), SelectBusyTimeout.get_result::<i32>(conn)?);
    conn.batch_execute("PRAGMA busy_timeout = 0")?;
    let outcome = loop {
        match all_or_nothing(conn, &work) {
            Err(error) if error.kind() == DatabaseErrorKind::Locked && begin.elapsed() < ATTEMPT => {
                thread::sleep(PAUSE);
            }
            outcome => break outcome,
        }
    };
    conn.batch_execute(&format!("PRAGMA busy_timeout = {busy_timeout}"))?;
    outcome.map_err(DatabaseError::into_diesel_error)
}

/// From now on every INSERT fails with what is said about the log.
pub(super) fn refuse_inserts(conn: &mut SqliteConnection, state: LogState, note: &str) -> QueryResult<()> {
    let message = LogClosed::message(state.name(), note).replace('\'', "''");
    conn.batch_execute(&format!(
        "CREATE TRIGGER {REFUSE_INSERT} BEFORE INSERT ON events \
         BEGIN SELECT RAISE(ABORT, '{message}'); END"
    ))
}

pub(super) fn allow_inserts(conn: &mut SqliteConnection) -> QueryResult<()> {
    conn.batch_execute(&format!("DROP TRIGGER {REFUSE_INSERT}"))
}
