use chrono::{DateTime, Utc};
use diesel::sqlite::SqliteConnection;

use super::error::{WriteError, WriterError};
use super::job::Job;
use super::reply::{Reply, Sender};
use crate::model::appended::Appended;
use crate::model::event::NewEvent;
use crate::model::expected_version::ExpectedVersion;
use crate::model::stream_id::StreamId;
use crate::model::timestamp;
use crate::storage::append::AppendError;
use crate::storage::append::{Batch, Placement};
use crate::storage::connection::HasDatabase;
use crate::storage::now::now;
use crate::storage::sqlite::append::{append, write};
use crate::store::append::{find_duplicate, record, report};

/// Validated events for one stream.
pub(super) struct Append {
    pub(super) stream: StreamId,
    pub(super) expected: ExpectedVersion,
    pub(super) events: Vec<NewEvent>,
    pub(super) caller: Sender<Appended, WriteError>,
    pub(super) placed: Option<Reply<Placed, AppendError>>,
}

pub(super) struct Placed {
    placement: Placement,
    now: DateTime<Utc>,
}

impl Append {
    fn place(
        &mut self,
        place: impl FnOnce(&Batch<'_>) -> Result<Placement, AppendError>,
    ) -> Result<(), AppendError> {
        let Self { stream, expected, events, .. } = self;
        let batch = Batch { stream, expected: *expected, events, now: timestamp::now() };
        let placement = place(&batch)?;
        self.placed = Some(Ok(Ok(Placed { placement, now: batch.now })));
        Ok(())
    }
}

impl Job for Append {
    fn is_repeatable(&self) -> bool {
        true
    }

    fn attempt(&mut self, conn: &mut SqliteConnection) -> bool {
        match self.place(|batch| write(conn, batch)) {
            Ok(()) => true,
            Err(AppendError::Conflict(conflict)) => {
                self.placed = Some(Ok(Err(conflict.into())));
                true
            }
            Err(_) => false,
        }
    }

    fn run(&mut self, conn: &mut SqliteConnection) -> bool {
        let placed = self.place(|batch| {
            append(conn, batch).map_err(|error| now(find_duplicate(&mut conn.database(), batch, error)))
        });
        placed.map_err(|error| self.placed = Some(Ok(Err(error)))).is_ok()
    }

    fn reject(&mut self, error: WriterError) {
        self.placed = Some(Err(error));
    }

    fn committed(self: Box<Self>) {
        let Self { stream, events, caller, placed, .. } = *self;
        let reply = placed.expect("a job that was run").map(|placed| {
            let appended = placed.map(|Placed { placement, now }| record(&stream, events, now, placement));
            report(&appended);
            appended.map_err(WriteError::from)
        });
        caller.send(reply);
    }

    fn failed(self: Box<Self>, error: WriterError) {
        self.caller.send(Err(error));
    }
}
