//! Up to where the log is complete: no event will be committed at or below that position any more.
//!
//! # Gapless
//!
//! An append counts its positions in the row of `event_log`, which it keeps locked until its transaction has
//! ended. So positions are committed in their order, and every snapshot that has one has all below: the
//! highest is the answer.
//!
//! # Fenced
//!
//! AUTO_INCREMENT gives out positions in growing order, without waiting, and they are committed in any order.
//!
//! 1. Before an append inserts events, it takes a shared lock on one of the two rows of `event_fence` (its
//!    *slots*), and so before it is given positions. InnoDB releases the lock when the transaction has ended
//!    and, if it was committed, is visible to every new snapshot.
//! 2. A reader asks for the highest position M in a new snapshot. Every position up to M has been given out
//!    by then, since M has been, so every transaction that may still commit one of them holds one of the
//!    slots.
//! 3. After that it finds, for each slot, a moment at which no transaction holds it: it can be locked
//!    exclusively. The moments need not be the same. Every transaction from 2. has then ended. So the log is
//!    complete up to M; an append that is still under way, or begins, was given a position after M was, and
//!    will commit above it.
//!
//! That is all that correctness rests on. It matters neither which slot an append takes, nor from which
//! snapshot it knows the slot, nor how a transaction has ended: rollbacks, and connections and servers that
//! are killed, end a transaction, too. A rollback to a savepoint keeps the lock.
//!
//! The lock is asked for with SKIP LOCKED, for one slot at a time, in a statement that is its own
//! transaction. So a reader waits for no append and holds nothing while it asks; an append that comes at that
//! moment waits for the end of the statement, not for the reader.
//!
//! While appends come without a pause, a slot that all of them take may never be free. So `event_log.phase`
//! says which slot to take, and readers work in turns: once no append holds the *other* slot, the phase
//! changes to it, and the slot that was taken until now empties as fast as its transactions end.
//! `draining_position` is the highest position at that change, read before the other slot was found free. By
//! then half of 3. is done for it, and who finds the slot that empties free completes it. Both are done by
//! the next reader; a reader changes the row only as it has seen it, so nothing is built on what another
//! reader has replaced.
//!
//! What is found is published in `event_log.safe_position`, after everything up to there is committed. So a
//! reader that sees it in a snapshot, or on a replica that applies transactions in their order, sees those
//! events, too. In the application's transaction, where an exclusive lock would stay until its end, and on a
//! server that is read-only, the log is read up to there.

use std::time::Duration;

use diesel::mysql::Mysql;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Nullable, Text, TinyInt};

use super::error::kind;
use super::guards::unsuitable;
use super::lost_row::lost_row;
use super::outside::{endless_transaction, ends_alone, is_outside_transactions};
use crate::model::ordering::LogOrdering;
use crate::model::position::Position;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::executor::Executor;
use crate::storage::refused::Refused;
use crate::storage::server::Server;
use crate::storage::sql::ordering::stored;
use crate::storage::sql::statement::statement;

/// How long a reader waits between its attempts to find a slot free, in microseconds. Then it is content with
/// what is published; a later one goes on from there.
const PAUSES: [u64; 7] = [0, 200, 400, 800, 1600, 3200, 6400];

statement! {
    for Mysql;
    /// Everything that is known about the end of the log, in one snapshot; what of the session is in the way;
    /// and whether the locks of those who append are here and can be asked for. MariaDB has words for
    /// read_only in newer versions.
    ///
    /// In READ UNCOMMITTED the highest position, which is the end if positions are counted, may be that of an
    /// append under way. A slot that is not there would look like one that is always held.
    Look -> (Nullable<Text>, BigInt, BigInt, TinyInt, BigInt, BigInt, Text, Nullable<BigInt>),
    concat!(
        "SELECT COALESCE(",
        unsuitable!(),
        ", IF(ordering = 'gapless' AND /*M! @@tx_isolation */ /*!80017 @@transaction_isolation */ \
         = 'READ-UNCOMMITTED', 'positions are gapless and transaction_isolation is READ-UNCOMMITTED', NULL)), ",
        ends_alone!(),
        ", server_id = @@server_id AND NOT @@innodb_read_only \
         AND CAST(@@global.read_only AS CHAR) IN ('0', 'OFF'), \
         phase, draining_position, safe_position, ordering, (SELECT MAX(global_position) FROM events) \
         FROM event_log CROSS JOIN event_fence WHERE id = 1 AND slot = 0 \
         AND EXISTS (SELECT * FROM event_fence WHERE slot = 1)"
    )
}

/// An UPDATE of the row of `event_log` that does not wait while it is locked: in MariaDB it fails, in MySQL
/// it finds no row. MySQL has no limit below a second for the wait; MariaDB from 11 on locks the row before
/// it looks which one is free.
macro_rules! if_unlocked {
    ($update:literal) => {
        concat!(
            "/*M! SET STATEMENT innodb_lock_wait_timeout = 0 FOR */ ",
            $update,
            " id = /*M! 1 */ /*!80017 \
             (SELECT id FROM (SELECT id FROM event_log WHERE id = 1 LIMIT 1 FOR UPDATE SKIP LOCKED) AS free) */"
        )
    };
}

statement! {
    for Mysql;
    /// The log is complete up to this position. It does not wait for an append in SERIALIZABLE, where reading
    /// the phase locks it.
    Publish { complete: i64 => BigInt },
    if_unlocked!("UPDATE event_log SET safe_position = GREATEST(safe_position, ?) WHERE")
}

statement! {
    for Mysql;
    /// The other slot was free after `highest` had been read, so the log is complete up to the position that
    /// was draining.
    ChangePhase {
        highest: i64 => BigInt,
        phase: i8 => TinyInt,
        draining: i64 => BigInt,
    },
    if_unlocked!(
        "UPDATE event_log SET safe_position = GREATEST(safe_position, draining_position), \
         draining_position = ?, phase = 1 - phase WHERE phase = ? AND draining_position = ? AND"
    )
}

statement! {
    for Mysql;
    /// Locks the slot if no append holds it, on the server where events are appended.
    LockFree { slot: i8 => TinyInt } -> TinyInt,
    "SELECT slot FROM event_fence WHERE slot = ? AND server_id = @@server_id FOR UPDATE SKIP LOCKED"
}

pub(super) async fn complete<C: Server<Backend = Mysql>>(conn: &mut C) -> QueryResult<Position> {
    look(conn).await?.complete(conn).await
}

/// The end of the log as one snapshot shows it.
pub(super) struct LogEnd {
    can_be_asked: bool,
    phase: i8,
    draining: i64,
    safe: i64,
    pub(super) ordering: LogOrdering,
    highest: i64,
}

type Seen = (Option<String>, i64, i64, i8, i64, i64, String, Option<i64>);

pub(super) async fn look<C: Server<Backend = Mysql>>(conn: &mut C) -> QueryResult<LogEnd> {
    let Some(seen) = conn.optional_row::<_, Seen>(Look).await? else { return Err(lost_row(conn).await) };
    let (unsuitable, ends_alone, can_be_asked, phase, draining, safe, ordering, highest) = seen;
    if let Some(reason) = unsuitable {
        return Err(Refused::error(DatabaseErrorKind::UnsuitableSetting, reason));
    }
    if ends_alone == 0 && conn.depth()? == 0 {
        return Err(endless_transaction());
    }
    Ok(LogEnd {
        can_be_asked: can_be_asked == 1,
        phase,
        draining,
        safe,
        ordering: stored(&ordering)?,
        highest: highest.unwrap_or(0),
    })
}

impl LogEnd {
    /// How far the log is known to be complete, without asking any further.
    pub(super) fn known(&self) -> Position {
        Position::stored(match self.ordering {
            LogOrdering::Fenced => self.safe,
            LogOrdering::Gapless => self.highest,
        })
    }

    /// How far it is complete: everything, unless an append is under way.
    pub(super) async fn complete<C: Server<Backend = Mysql>>(&self, conn: &mut C) -> QueryResult<Position> {
        if self.known().get() >= self.highest {
            return Ok(self.known());
        }
        if self.can_be_asked && is_outside_transactions(conn).await? {
            return self.find_out(conn).await;
        }
        self.published()
    }

    fn published(&self) -> QueryResult<Position> {
        if self.safe == 0 { Err(Refused::not_published()) } else { Ok(self.known()) }
    }

    async fn find_out<C: Server<Backend = Mysql>>(&self, conn: &mut C) -> QueryResult<Position> {
        let mut end = self;
        let mut newer;
        for pause in PAUSES {
            match end.advance(conn).await {
                Ok(Some(complete)) => return Ok(complete),
                Ok(None) => {}
                Err(error) => match kind(&error) {
                    DatabaseErrorKind::Locked => {}
                    DatabaseErrorKind::ReadOnly => return end.published(),
                    DatabaseErrorKind::NotPermitted if end.safe > 0 => return Ok(end.known()),
                    _ => return Err(error),
                },
            }
            conn.pause(Duration::from_micros(pause)).await;
            newer = look(conn).await?;
            end = &newer;
            if end.known().get() >= self.highest {
                break;
            }
        }
        Ok(end.known())
    }

    /// One step; the last one says how far the log is complete.
    async fn advance<C: Executor<Backend = Mysql>>(&self, conn: &mut C) -> QueryResult<Option<Position>> {
        if !is_free(conn, 1 - self.phase).await? {
            return Ok(None);
        }
        if is_free(conn, self.phase).await? {
            let is_published = conn.execute(Publish { complete: self.highest }).await? > 0;
            return Ok(is_published.then(|| Position::stored(self.highest)));
        }
        let change = ChangePhase { highest: self.highest, phase: self.phase, draining: self.draining };
        conn.execute(change).await?;
        Ok(None)
    }
}

/// Locks the slot if no append holds it, and releases it at once.
async fn is_free<C: Executor<Backend = Mysql>>(conn: &mut C, slot: i8) -> QueryResult<bool> {
    let free: Option<i8> = conn.optional_row(LockFree { slot }).await?;
    Ok(free.is_some())
}
