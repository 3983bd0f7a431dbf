use std::future::poll_fn;
use std::pin::Pin;

use futures_core::Stream;

use crate::event::Event;
use crate::model::filter::EventFilter;
use crate::model::log::LogQuery;
use crate::model::position::Position;
use crate::storage::asynchronous::connection::AsyncEventConnection;
use crate::storage::read::ReadError;
use crate::store::asynchronous::AsyncEventStore;
use crate::store::check_log::LogReport;

impl AsyncEventStore {
    /// Reads the events of a real log as `E`, and counts by type and version which can be read: see
    /// [`EventStore::check_log`](crate::EventStore::check_log). Between two pages other tasks can run; events
    /// are decoded in the task that awaits.
    ///
    /// # Errors
    ///
    /// Those of [`read_log`](Self::read_log). An event that cannot be read as `E` is no error, but is in the
    /// report.
    ///
    /// ```
    /// # use diesel_event_store::*;
    /// async fn all_can_be_read<E: Event>(conn: &mut impl AsyncEventConnection) -> Result<bool, ReadError> {
    ///     let known = EventFilter::new().event_types(E::TYPES.iter().map(|known| known.name()));
    ///     let report = AsyncEventStore::new().check_log::<E>(conn, known).await?;
    ///     Ok(report.unreadable() == 0)
    /// }
    /// ```
    pub async fn check_log<E: Event>(
        &self,
        conn: &mut (impl AsyncEventConnection + ?Sized),
        filter: EventFilter,
    ) -> Result<LogReport, ReadError> {
        let mut report = LogReport::default();
        let mut log = self.iter_log(conn, LogQuery::after(Position::START).filter(filter).without_archived());
        while let Some(recorded) = poll_fn(|context| Pin::new(&mut log).poll_next(context)).await {
            report.count::<E>(&recorded?);
        }
        Ok(report)
    }
}
