//! What an append passes between its head and its events. Why it is enough stands in `position`.

use diesel::mysql::Mysql;
use diesel::result::Error::{self, DeserializationError};
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::guards::{current, inside, unsuitable};
use super::lost_row::lost_row;
use crate::model::log_state::{LogClosed, LogState};
use crate::model::ordering::LogOrdering;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::executor::Executor;
use crate::storage::refused::Refused;
use crate::storage::sql::ordering::stored;
use crate::storage::sql::statement::statement;

/// Whether what is rolled back leaves a lock on the gap where it was, which a look before it is inserted
/// would not. In MariaDB it does not; in SERIALIZABLE a look locks the gap itself.
macro_rules! keeps_gaps {
    () => {
        "/*M! 0 */ /*!80017 @@transaction_isolation = 'REPEATABLE-READ' */"
    };
}

type EntryColumns = (BigInt, BigInt, Text, Text, BigInt, BigInt, BigInt, BigInt, Nullable<Text>);
type EntryValues = (i64, i64, String, String, i64, i64, i64, i64, Option<String>);

statement! {
    for Mysql;
    /// Takes a shared lock on the row of the current slot, until the transaction ends, and reads from it how
    /// positions are given out, and where: a locking read sees what is committed now, in any isolation level.
    /// The slot itself and the published position may come from an old snapshot. The other columns only share
    /// the way.
    EnterFence -> EntryColumns,
    current!(
        "SELECT CAST(LAST_INSERT_ID() AS SIGNED), @@auto_increment_increment, ordering, state, server_id, \
         CAST(@@server_id AS SIGNED), (SELECT safe_position FROM event_log WHERE id = 1), ",
        keeps_gaps!(),
        ", ",
        unsuitable!(),
        " FROM event_fence WHERE slot = (SELECT phase FROM event_log WHERE id = 1) LOCK IN SHARE MODE"
    )
}

statement! {
    for Mysql;
    SelectNote -> Nullable<Text>,
    "SELECT note FROM event_log WHERE id = 1"
}

statement! {
    for Mysql;
    /// From now on events are appended on this server.
    TakeOver { server_id: i64 => BigInt },
    current!("UPDATE event_fence SET server_id = ? WHERE slot IN (0, 1)")
}

statement! {
    for Mysql;
    /// Takes so many positions. The row stays locked until the transaction ends, so positions commit in their
    /// order.
    CountPositions { added: i64 => BigInt },
    current!(
        "UPDATE event_log SET last_position = ",
        inside!("LAST_INSERT_ID(last_position) + ?"),
        " WHERE id = 1"
    )
}

#[diesel::declare_sql_function]
extern "SQL" {
    #[sql_name = "LAST_INSERT_ID"]
    fn unsigned_last_insert_id() -> Unsigned<BigInt>;
}

/// An append that is inside the fence.
pub(super) struct Entry {
    /// What the statement before has kept in LAST_INSERT_ID.
    pub(super) last_insert_id: i64,
    /// From one AUTO_INCREMENT value to the next.
    pub(super) step: usize,
    pub(super) ordering: LogOrdering,
    /// The server on which events are appended, and this one.
    servers: (i64, i64),
    /// No event may come at or below it any more.
    pub(super) safe: i64,
    /// Whether a rollback to a savepoint makes others wait for the end of the transaction, and a look does
    /// not.
    pub(super) keeps_gaps: bool,
}

pub(super) async fn enter<C: Executor<Backend = Mysql>>(conn: &mut C) -> QueryResult<Entry> {
    let Some(entry) = conn.optional_row::<_, EntryValues>(EnterFence).await? else {
        return Err(lost_row(conn).await);
    };
    let (last_insert_id, step, ordering, state, server, here, safe, keeps_gaps, unsuitable) = entry;
    if let Some(reason) = unsuitable {
        return Err(Refused::error(DatabaseErrorKind::UnsuitableSetting, reason));
    }
    if state != LogState::Open.name() {
        return Err(closed(conn, &state).await?);
    }
    let step = usize::try_from(step).map_err(|error| DeserializationError(error.into()))?;
    let (ordering, servers, keeps_gaps) = (stored(&ordering)?, (server, here), keeps_gaps == 1);
    let entry = Entry { last_insert_id, step, ordering, servers, safe, keeps_gaps };
    if entry.ordering == LogOrdering::Fenced && server != here {
        take_over(conn, &entry).await?;
    }
    Ok(entry)
}

/// Why nothing is appended. An old snapshot of the application's transaction does not have the note.
async fn closed<C: Executor<Backend = Mysql>>(conn: &mut C, state: &str) -> QueryResult<Error> {
    let note: Option<String> = conn.row(SelectNote).await?;
    let reason = LogClosed::message(state, note.as_deref().unwrap_or("{}"));
    Ok(Refused::error(DatabaseErrorKind::LogClosed, reason))
}

/// After a fail-over. Servers that append at the same time count in steps, so that they are not given the
/// same positions: who counts so may have another beside it, whose appends nothing here shows.
async fn take_over<C: Executor<Backend = Mysql>>(conn: &mut C, entry: &Entry) -> QueryResult<()> {
    let (server, here) = entry.servers;
    if entry.step > 1 {
        let reason = format!(
            "events are appended on the server with server_id {server}, this one has {here}, and \
             auto_increment_increment is {}",
            entry.step
        );
        return Err(Refused::error(DatabaseErrorKind::OtherServer, reason));
    }
    conn.execute(TakeOver { server_id: here }).await.map(drop)
}

/// The first of so many positions of the gapless ordering.
pub(super) async fn count_positions<C: Executor<Backend = Mysql>>(
    conn: &mut C,
    added: i64,
) -> QueryResult<i64> {
    conn.execute(CountPositions { added }).await?;
    Ok(last_insert_id(conn).await? + 1)
}

/// What this connection's last statement that had one has left there.
pub(super) async fn last_insert_id<C: Executor<Backend = Mysql>>(conn: &mut C) -> QueryResult<i64> {
    let id: u64 = conn.row(diesel::select(unsigned_last_insert_id())).await?;
    i64::try_from(id).map_err(|error| DeserializationError(error.into()))
}
