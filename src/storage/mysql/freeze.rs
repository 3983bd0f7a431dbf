//! Appends read under their lock in `event_fence` that the log is closed. A trigger, which is created on
//! demand, refuses what is inserted by SQL, too.
//!
//! On Galera, where a node does not see the locks of another, every append also writes the row of
//! `event_log`. So does this, and an append of another node that has not seen it fails its certification.

use diesel::mysql::Mysql;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Text};

use super::all_or_nothing::{Work, all_or_nothing};
use super::guards::current;
use crate::model::log_state::LogState;
use crate::model::log_status::LogHolder;
use crate::model::partition::MOVED_AWAY;
use crate::model::position::Position;
use crate::storage::error::DatabaseError;
use crate::storage::executor::Executor;
use crate::storage::freeze::Freeze;
use crate::storage::lent;
use crate::storage::log_holders::LogHolders;
use crate::storage::log_state::LogStates;
use crate::storage::scope::Scope;
use crate::storage::server::Server;
use crate::storage::sql::lease::GiveBack;
use crate::storage::sql::statement::statement;

statement! {
    for Mysql;
    /// Waits for every append that is under way: each holds one of the rows.
    SetFence<'a> { to: &'a str => Text, from: &'a str => Text },
    current!("UPDATE event_fence SET state = ? WHERE slot IN (0, 1) AND state = ?")
}

statement! {
    for Mysql;
    SetFrozen<'a> { note: &'a str => Text },
    current!("UPDATE event_log SET state = 'frozen', note = ? WHERE id = 1 AND state = 'open'")
}

statement! {
    for Mysql;
    SetOpen<'a> { note: &'a str => Text },
    current!(
        "UPDATE event_log SET state = 'open', note = NULL \
         WHERE id = 1 AND state = 'frozen' AND coalesce(note, '') = ?"
    )
}

statement! {
    for Mysql;
    /// Whether inserts are refused, which they are in a frozen log.
    CountTriggers -> BigInt,
    "SELECT COUNT(*) FROM information_schema.triggers \
     WHERE trigger_schema = DATABASE() AND trigger_name = 'events_refuse_insert'"
}

/// MySQL allows 128 characters, so the reason is not among them.
const REFUSE_INSERTS: &str = "CREATE TRIGGER events_refuse_insert BEFORE INSERT ON events FOR EACH ROW \
     SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = \
     'this event log is frozen (event_log.note says why); nothing was appended'";

pub(super) const ALLOW_INSERTS: &str = "DROP TRIGGER IF EXISTS events_refuse_insert";

/// Appends wait behind one who waits for a lock. A second is the least that can be set.
pub(super) const WAIT_BRIEFLY: &str = "SET @diesel_event_store_rows = @@SESSION.innodb_lock_wait_timeout, \
     @diesel_event_store_tables = @@SESSION.lock_wait_timeout; \
     SET @@SESSION.innodb_lock_wait_timeout = 1, @@SESSION.lock_wait_timeout = 1";

pub(super) const WAIT_AS_BEFORE: &str = "SET @@SESSION.innodb_lock_wait_timeout = @diesel_event_store_rows, \
     @@SESSION.lock_wait_timeout = @diesel_event_store_tables";

impl<C: Server<Backend = Mysql>> Freeze for lent::Mysql<'_, C> {
    async fn freeze(&mut self, note: &str) -> QueryResult<()> {
        self.0.batch(WAIT_BRIEFLY).await?;
        let frozen = freeze(self.0, note).await;
        let restored = self.0.batch(WAIT_AS_BEFORE).await;
        frozen.and(restored)
    }

    async fn unfreeze(&mut self, note: &str) -> QueryResult<bool> {
        self.0.batch(WAIT_BRIEFLY).await?;
        let unfrozen = unfreeze(self.0, note).await;
        let restored = self.0.batch(WAIT_AS_BEFORE).await;
        unfrozen.and_then(|is_opened| restored.map(|()| is_opened))
    }

    async fn settle(&mut self) -> QueryResult<()> {
        self.0.batch(WAIT_BRIEFLY).await?;
        let settled = settle(self.0).await;
        let restored = self.0.batch(WAIT_AS_BEFORE).await;
        settled.and(restored)
    }

    async fn in_the_way(&mut self) -> QueryResult<Vec<LogHolder>> {
        self.log_holders(Position::END).await
    }
}

/// To create the trigger commits, so it comes second, and others may have opened the log meanwhile: then it is
/// closed once more. If the trigger cannot be created now, appends go on meanwhile. If this is killed between,
/// the same again creates it.
async fn freeze<C: Server<Backend = Mysql>>(conn: &mut C, note: &str) -> QueryResult<()> {
    loop {
        all_or_nothing(conn, Close { note }).await.map_err(DatabaseError::into_diesel_error)?;
        let log = lent::Mysql(conn).log_row().await?;
        match log.state {
            LogState::Open => continue,
            LogState::Receiving => return settle(conn).await,
            LogState::Frozen if refuses_inserts(conn).await? => return Ok(()),
            LogState::Frozen => {}
        }
        let Err(error) = conn.batch(REFUSE_INSERTS).await else { continue };
        if log.note.as_deref() == Some(note) {
            all_or_nothing(conn, Open { note }).await.map_err(DatabaseError::into_diesel_error)?;
        }
        // Another may have created it, and counts on it.
        if !refuses_inserts(conn).await? {
            return Err(error);
        }
    }
}

/// To drop the trigger commits, so it comes first.
async fn unfreeze<C: Server<Backend = Mysql>>(conn: &mut C, note: &str) -> QueryResult<bool> {
    if is_frozen_with(conn, note).await? {
        conn.batch(ALLOW_INSERTS).await?;
        if all_or_nothing(conn, Open { note }).await.map_err(DatabaseError::into_diesel_error)? {
            return Ok(true);
        }
    }
    settle(conn).await?;
    Ok(false)
}

pub(super) async fn is_frozen_with<C: Server<Backend = Mysql>>(
    conn: &mut C,
    note: &str,
) -> QueryResult<bool> {
    let log = lent::Mysql(conn).log_row().await?;
    Ok(log.state == LogState::Frozen && log.note.unwrap_or_default() == note)
}

/// Has the trigger agree with the state. Others may change both at the same time, but whoever has created or
/// dropped the trigger looks at the state once more, so the last one leaves them in agreement.
pub(super) async fn settle<C: Server<Backend = Mysql>>(conn: &mut C) -> QueryResult<()> {
    loop {
        let is_frozen = lent::Mysql(conn).log_row().await?.state == LogState::Frozen;
        let changed = match (is_frozen, refuses_inserts(conn).await?) {
            (true, false) => conn.batch(REFUSE_INSERTS).await,
            (false, true) => conn.batch(ALLOW_INSERTS).await,
            _ => return Ok(()),
        };
        // Another may have done the same.
        if changed.is_err() && refuses_inserts(conn).await? != is_frozen {
            return changed;
        }
    }
}

async fn refuses_inserts<C: Server<Backend = Mysql>>(conn: &mut C) -> QueryResult<bool> {
    Ok(conn.row::<_, i64>(CountTriggers).await? > 0)
}

struct Close<'n> {
    note: &'n str,
}

impl<C: Executor<Backend = Mysql>> Work<C> for Close<'_> {
    type Output = ();
    type Error = DatabaseError;

    async fn run(&self, conn: &mut C, _: Scope) -> Result<(), DatabaseError> {
        conn.execute(SetFence { to: "frozen", from: "open" }).await?;
        conn.execute(SetFrozen { note: self.note }).await?;
        Ok(())
    }
}

struct Open<'n> {
    note: &'n str,
}

impl<C: Executor<Backend = Mysql>> Work<C> for Open<'_> {
    type Output = bool;
    type Error = DatabaseError;

    /// The trigger is looked for while nobody else can close or open the log: who has created it before is
    /// going to look whether the log is still closed.
    async fn run(&self, conn: &mut C, _: Scope) -> Result<bool, DatabaseError> {
        if conn.execute(SetFence { to: "open", from: "frozen" }).await? == 0 {
            return Ok(false);
        }
        let may_be_opened = conn.row::<_, i64>(CountTriggers).await? == 0;
        let is_opened = may_be_opened && conn.execute(SetOpen { note: self.note }).await? == 1;
        match is_opened {
            true => conn.execute(GiveBack { owner: MOVED_AWAY }).await?,
            false => conn.execute(SetFence { to: "frozen", from: "open" }).await?,
        };
        Ok(is_opened)
    }
}
