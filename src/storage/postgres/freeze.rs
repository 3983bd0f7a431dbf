//! A trigger that is created on demand refuses events, so that an open log pays nothing. To create it takes a
//! lock that waits for everything that has appended and not ended, prepared transactions too; statements that
//! were prepared before meet it as well.

use diesel::pg::Pg;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::all_or_nothing::begin;
use crate::model::log_state::{LogClosed, LogState};
use crate::model::log_status::LogHolder;
use crate::model::partition::MOVED_AWAY;
use crate::storage::freeze::Freeze;
use crate::storage::lent::Postgres;
use crate::storage::log_holders::holder;
use crate::storage::server::Server;
use crate::storage::sql::lease::GiveBack;
use crate::storage::sql::statement::statement;

statement! {
    for Pg;
    SetFrozen<'a> { note: &'a str => Text },
    "UPDATE event_log SET state = 'frozen', note = ? WHERE state = 'open'"
}

statement! {
    for Pg;
    SetOpen<'a> { note: &'a str => Text },
    "UPDATE event_log SET state = 'open', note = NULL \
     WHERE state = 'frozen' AND coalesce(note, '') = ?"
}

statement! {
    for Pg;
    /// Who holds a lock on the events: of an open log one that has written, of a closed one any. A prepared
    /// transaction has no process; it is known by the lock on its own number.
    SelectInTheWay -> (Nullable<BigInt>, Nullable<Text>, Nullable<BigInt>),
    "SELECT DISTINCT held.pid::BIGINT, \
     coalesce(NULLIF(activity.application_name, ''), prepared.gid, activity.backend_type), \
     CAST(extract(epoch FROM coalesce(activity.xact_start, prepared.prepared)) * 1000 AS BIGINT) \
     FROM event_log, pg_locks AS held \
     LEFT JOIN pg_stat_activity AS activity ON activity.pid = held.pid \
     LEFT JOIN pg_locks AS own ON held.pid IS NULL AND own.pid IS NULL \
     AND own.virtualtransaction = held.virtualtransaction AND own.locktype = 'transactionid' \
     LEFT JOIN pg_prepared_xacts AS prepared ON prepared.transaction = own.transactionid \
     WHERE held.locktype = 'relation' AND held.relation = 'events'::regclass AND held.granted \
     AND (event_log.state <> 'open' OR held.mode NOT IN ('AccessShareLock', 'RowShareLock')) \
     AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
     AND held.pid IS DISTINCT FROM pg_backend_pid() \
     ORDER BY 3"
}

/// Others wait behind one who waits for a lock.
pub(super) const WAIT_BRIEFLY: &str = "SET LOCAL lock_timeout = '200ms'";

impl<C: Server<Backend = Pg>> Freeze for Postgres<'_, C> {
    async fn freeze(&mut self, note: &str) -> QueryResult<()> {
        let mut open = begin(self.0).await?;
        let frozen = freeze(&mut *open.conn, note).await;
        open.end(frozen).await
    }

    async fn unfreeze(&mut self, note: &str) -> QueryResult<bool> {
        let mut open = begin(self.0).await?;
        let unfrozen = unfreeze(&mut *open.conn, note).await;
        open.end(unfrozen).await
    }

    /// An attempt is all or nothing.
    async fn settle(&mut self) -> QueryResult<()> {
        Ok(())
    }

    async fn in_the_way(&mut self) -> QueryResult<Vec<LogHolder>> {
        let held: Vec<(Option<i64>, Option<String>, Option<i64>)> = self.0.rows(SelectInTheWay).await?;
        Ok(held.into_iter().map(|(process, name, since)| holder(process, name, since)).collect())
    }
}

/// Locks the events before `event_log`, as appends do.
async fn freeze<C: Server<Backend = Pg>>(conn: &mut C, note: &str) -> QueryResult<()> {
    conn.batch(WAIT_BRIEFLY).await?;
    conn.batch("LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE").await?;
    if conn.execute(SetFrozen { note }).await? == 1 {
        conn.batch(&refuse_inserts(LogState::Frozen, note)).await?;
    }
    Ok(())
}

async fn unfreeze<C: Server<Backend = Pg>>(conn: &mut C, note: &str) -> QueryResult<bool> {
    conn.batch(WAIT_BRIEFLY).await?;
    conn.batch("LOCK TABLE events IN ACCESS EXCLUSIVE MODE").await?; // as DROP TRIGGER does
    let is_opened = conn.execute(SetOpen { note }).await? == 1;
    if is_opened {
        conn.batch(ALLOW_INSERTS).await?;
        conn.execute(GiveBack { owner: MOVED_AWAY }).await?;
    }
    Ok(is_opened)
}

/// From then on every INSERT fails with what is said about the log, also in a session whose
/// `session_replication_role` turns other triggers off.
pub(super) fn refuse_inserts(state: LogState, note: &str) -> String {
    let message = LogClosed::message(state.name(), note).replace('\'', "''");
    format!(
        "CREATE TRIGGER events_refuse_insert BEFORE INSERT ON events \
         FOR EACH STATEMENT EXECUTE FUNCTION events_refuse_insert('{message}'); {ENABLE_REFUSAL}"
    )
}

pub(super) const ENABLE_REFUSAL: &str = "ALTER TABLE events ENABLE ALWAYS TRIGGER events_refuse_insert";

pub(super) const ALLOW_INSERTS: &str = "DROP TRIGGER events_refuse_insert ON events";
