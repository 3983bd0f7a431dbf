//! A log that receives events from elsewhere: closed, in batches, opened last.

use std::collections::HashMap;
use std::time::Duration;

use diesel::result::QueryResult;
use uuid::Uuid;

use super::batch::Batch;
use super::error::ReceiveError;
use super::note::Note;
use super::projections::ids;
use super::rest::Rest;
use crate::line::chain::Chain;
use crate::model::event::RecordedEvent;
use crate::model::position::Position;
use crate::model::projection_id::ProjectionId;
use crate::model::stream_id::StreamId;
use crate::operate::patiently::patiently;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::write_transaction::write_transaction;

pub(super) struct Receiver<'c, C: EventConnection + ?Sized> {
    pub(super) conn: &'c mut C,
    pub(super) note: Note,
    /// What the connection was set to.
    before: Option<i32>,
}

impl<'c, C: EventConnection + ?Sized> Receiver<'c, C> {
    /// Closes a log that is empty.
    pub(super) fn begin(conn: &'c mut C, log_id: Uuid, note: Note) -> Result<Self, ReceiveError> {
        write_transaction(conn, |conn| match conn.database().close(log_id, &note.text())? {
            true => refuse_occupied(conn),
            false => Err(ReceiveError::Overtaken),
        })?;
        Self::resume(conn, note)
    }

    /// Goes on with what has come this far.
    pub(super) fn resume(conn: &'c mut C, note: Note) -> Result<Self, ReceiveError> {
        let before = conn.database().begin_filling()?;
        Ok(Self { conn, note, before })
    }

    /// `chain` is behind the last of the events. Returns how many there were.
    pub(super) fn receive_batch(&mut self, batch: &mut Batch, chain: Chain) -> Result<u64, ReceiveError> {
        let Some(last_position) = batch.last_position() else { return Ok(0) };
        let next = self.note.at(last_position, chain);
        let keeps_heads = next.copied().is_some_and(|copied| copied.has_heads);
        self.move_on(next, |conn| {
            conn.database().receive(&batch.events)?;
            conn.database().insert_leaves(&batch.leaves)?;
            if keeps_heads { set_heads(conn, &batch.events) } else { Ok(()) }
        })?;
        let received = batch.events.len() as u64;
        batch.clear();
        Ok(received)
    }

    /// Both or neither.
    pub(super) fn move_on(
        &mut self,
        next: Note,
        work: impl FnOnce(&mut C) -> QueryResult<()>,
    ) -> Result<(), ReceiveError> {
        replace(self.conn, &self.note.text(), &next.text(), work)?;
        self.note = next;
        Ok(())
    }

    /// Heads without events, checkpoints, keys and parked events, instead of those that an earlier attempt has
    /// brought. If it has brought the same, they stay.
    pub(super) fn receive_rest(&mut self, rest: &Rest) -> Result<(), ReceiveError> {
        let next = self.note.complete(ids(&rest.projections.partitions).into_iter());
        if next == self.note {
            return Ok(());
        }
        let brought = self.note.brought();
        self.move_on(next, |conn| {
            forget_projections(conn, &brought)?;
            write_rest(conn, rest)
        })
    }

    pub(super) fn open(self, patience: Duration) -> Result<(), ReceiveError> {
        open(&mut *self.conn, &self.note.text(), patience)
    }
}

impl<C: EventConnection + ?Sized> Drop for Receiver<'_, C> {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            // What was received is committed; a connection that fails here fails again when it is used.
            self.conn.database().end_filling(before).ok();
        }
    }
}

/// Appends to the log that has this note begin. What was taken from workers when it moved away is theirs
/// again.
pub(super) fn open<C: EventConnection + ?Sized>(
    conn: &mut C,
    note: &str,
    patience: Duration,
) -> Result<(), ReceiveError> {
    patiently(conn, patience, |conn| {
        let opened = replace(conn, note, note, |conn| {
            conn.database().give_back()?;
            conn.database().open()
        });
        match opened {
            Err(ReceiveError::Database(error)) => Err(error),
            other => Ok(other),
        }
    })?
}

/// The note and what it says are committed together.
pub(super) fn replace<C: EventConnection + ?Sized>(
    conn: &mut C,
    from: &str,
    next: &str,
    work: impl FnOnce(&mut C) -> QueryResult<()>,
) -> Result<(), ReceiveError> {
    write_transaction(conn, |conn| {
        if !conn.database().replace_note(from, next)? {
            return Err(ReceiveError::Overtaken);
        }
        Ok(work(conn)?)
    })
}

/// Their checkpoints and parked events.
pub(super) fn forget_projections<C: EventConnection + ?Sized>(
    conn: &mut C,
    projections: &[ProjectionId],
) -> QueryResult<()> {
    for projection in projections {
        conn.database().delete_partitions(projection)?;
        conn.database().unpark_all(projection)?;
    }
    Ok(())
}

fn write_rest<C: EventConnection + ?Sized>(conn: &mut C, rest: &Rest) -> QueryResult<()> {
    for start in rest.starts.iter().filter(|start| start.first_version.is_none()) {
        conn.database().set_head(&start.stream, start.version)?;
    }
    for start in rest.starts.iter().filter(|start| start.archived_version > 0) {
        conn.database().set_archived_version(&start.stream, start.archived_version)?;
    }
    let projections: Vec<_> = ids(&rest.projections.partitions).into_iter().cloned().collect();
    forget_projections(conn, &projections)?;
    for partition in &rest.projections.partitions {
        conn.database().restore_partition(partition)?;
    }
    conn.database().delete_keys()?;
    for key in &rest.keys {
        conn.database().receive_key(&key.as_new())?;
    }
    for (projection, parked) in &rest.projections.parked {
        conn.database().park(projection, parked)?;
        if let Some(requested) = parked.requested {
            conn.database().request(projection, parked.position, requested)?;
        }
    }
    Ok(())
}

/// Of the streams of these events.
fn set_heads<C: EventConnection + ?Sized>(conn: &mut C, events: &[RecordedEvent]) -> QueryResult<()> {
    let heads: HashMap<&StreamId, i64> = events.iter().map(|event| (&event.stream, event.version)).collect();
    heads.into_iter().try_for_each(|(stream, version)| conn.database().set_head(stream, version))
}

/// With the log closed, so that nothing comes meanwhile.
fn refuse_occupied<C: EventConnection + ?Sized>(conn: &mut C) -> Result<(), ReceiveError> {
    if conn.database().last_committed_position()? > Position::START {
        return Err(ReceiveError::Overtaken);
    }
    if conn.database().has_heads()? {
        return Err(ReceiveError::Occupied("streams"));
    }
    match conn.database().every_partition()?.is_empty() {
        true => Ok(()),
        false => Err(ReceiveError::Occupied("checkpoints")),
    }
}
