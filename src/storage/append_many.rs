use chrono::{DateTime, Utc};

use crate::model::append_batch::{AppendBatch, Guard};
use crate::model::append_key::{KeyedAppend, NewKey};
#[cfg(any(feature = "_postgres", feature = "_mysql"))]
use crate::model::stream_id::StreamId;
use crate::storage::append::{AppendError, Batch, Placement};
use crate::storage::operations::operations;

operations! {
    pub(crate) trait AppendMany {
        /// Appends the whole batch, which is validated, or nothing of it.
        fn append_batch(&mut self, batch: &WholeBatch<'_>) -> Result<Written, AppendError>;
    }
}

/// What came of a batch.
pub(crate) enum Written {
    /// It was appended: each stream's part is there.
    Now(Vec<Placement>),
    /// Nothing was appended: its key was used before.
    Before(KeyedAppend),
}

/// A batch as the databases take it.
pub(crate) struct WholeBatch<'a> {
    /// In the order in which their events go into the log.
    pub(crate) streams: Vec<Batch<'a>>,
    pub(crate) guards: &'a [Guard],
    pub(crate) key: Option<NewKey<'a>>,
}

/// A head that a batch holds until its transaction ends. SQLite has one lock for all of them.
#[cfg(any(feature = "_postgres", feature = "_mysql"))]
pub(crate) enum Head<'w, 'a> {
    /// Of the stream of this number.
    Moved(usize, &'w Batch<'a>),
    Guarded(&'a Guard),
}

impl<'a> WholeBatch<'a> {
    pub(crate) fn new(batch: &'a AppendBatch, now: DateTime<Utc>) -> Self {
        let streams = batch.streams.iter();
        let streams =
            streams.map(|of| Batch { stream: &of.stream, expected: of.expected, events: &of.events, now });
        Self { streams: streams.collect(), guards: &batch.guards, key: batch.new_key(now) }
    }

    /// Every head, in the order in which all batches take them: two that name the same streams do not wait
    /// for each other.
    #[cfg(any(feature = "_postgres", feature = "_mysql"))]
    pub(crate) fn heads(&self) -> Vec<Head<'_, 'a>> {
        let moved = self.streams.iter().enumerate().map(|(nth, batch)| Head::Moved(nth, batch));
        let mut heads: Vec<_> = moved.chain(self.guards.iter().map(Head::Guarded)).collect();
        heads.sort_by(|one, other| one.stream().cmp(other.stream()));
        heads
    }

    /// An error about an event of one stream counts the events of the streams before it, too.
    pub(crate) fn counted(&self, nth: usize, error: AppendError) -> AppendError {
        let before: usize = self.streams[..nth].iter().map(|batch| batch.events.len()).sum();
        match error {
            AppendError::DuplicateEventId { event_id, event_index, recorded } => {
                AppendError::DuplicateEventId { event_id, event_index: event_index + before, recorded }
            }
            AppendError::Invalid(invalid) => match invalid.event_index() {
                Some(index) => AppendError::Invalid(invalid.of_event(index + before)),
                None => AppendError::Invalid(invalid),
            },
            other => other,
        }
    }
}

#[cfg(any(feature = "_postgres", feature = "_mysql"))]
impl<'a> Head<'_, 'a> {
    fn stream(&self) -> &'a StreamId {
        match self {
            Self::Moved(_, batch) => batch.stream,
            Self::Guarded(guard) => &guard.stream,
        }
    }
}
