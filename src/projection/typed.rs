use super::definition::Projection;
use super::handler::HandlerError;
use super::kind::Kind;
use crate::event::{Decoded, Event};
use crate::model::event::RecordedEvent;

impl<C> Projection<C> {
    /// A projection whose handler takes one [typed event](Event) at a time, and the recorded event for its
    /// position, id and metadata.
    ///
    /// Only the types that [`Event::TYPES`] names are read from the log, aliases and retired events included;
    /// all types are, if the enum has a variant for [others](Event::TAKES_OTHERS).
    /// [`aggregate_types`](Self::aggregate_types) narrows that down; [`filter`](Self::filter) and
    /// [`event_types`](Self::event_types) take its place.
    ///
    /// Retired events are passed over. Of a split event, the handler is called for each part, and all parts
    /// succeed or none. An event that cannot be read falls under a policy of the projection, and is not
    /// retried:
    ///
    /// | [`EventProblem`](crate::EventProblem) | policy |
    /// |---|---|
    /// | `UnknownType`, `NewerVersion` | [`on_unknown_event_type`](Self::on_unknown_event_type) |
    /// | `Upcast`, `Undecodable` | [`on_undecodable`](Self::on_undecodable) |
    ///
    /// ```
    /// # #[cfg(feature = "derive")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use diesel::prelude::*;
    /// use diesel::sql_types::{BigInt, Text};
    /// use diesel_event_store::projection::Projection;
    /// use diesel_event_store::{Event, EventStore, ExpectedVersion, StreamId};
    ///
    /// #[derive(Event)]
    /// enum OrderEvent {
    ///     #[event(name = "OrderPlaced")]
    ///     Placed { cents: i64 },
    ///     #[event(name = "OrderCancelled", alias = "OrderAborted")]
    ///     Cancelled,
    /// }
    ///
    /// # let mut conn = SqliteConnection::establish(":memory:")?;
    /// # diesel_event_store::run_pending_migrations(&mut conn)?;
    /// # diesel::sql_query("CREATE TABLE totals (id TEXT NOT NULL, cents BIGINT NOT NULL)").execute(&mut conn)?;
    /// let totals = Projection::typed("totals", 1, |conn: &mut SqliteConnection, event: OrderEvent, recorded| {
    ///     let id = recorded.aggregate_id();
    ///     match event {
    ///         OrderEvent::Placed { cents } => diesel::sql_query("INSERT INTO totals VALUES (?, ?)")
    ///             .bind::<Text, _>(id)
    ///             .bind::<BigInt, _>(cents)
    ///             .execute(conn)?,
    ///         OrderEvent::Cancelled => {
    ///             diesel::sql_query("DELETE FROM totals WHERE id = ?").bind::<Text, _>(id).execute(conn)?
    ///         }
    ///     };
    ///     Ok(())
    /// });
    ///
    /// let placed = OrderEvent::Placed { cents: 1250 }.to_new()?;
    /// EventStore::new().append(&mut conn, &StreamId::new("Order", "o-1")?, ExpectedVersion::Any, &[placed])?;
    /// assert_eq!(totals.catch_up(&mut conn)?.applied(), 1);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "derive"))]
    /// # fn main() {}
    /// ```
    pub fn typed<E, H>(name: impl Into<String>, version: i32, handler: H) -> Self
    where
        E: Event,
        H: Fn(&mut C, E, &RecordedEvent) -> Result<(), HandlerError> + Send + Sync + 'static,
    {
        reading::<E, _, _>(Self::new(name, version, move |conn, recorded| {
            parts(E::decode(recorded)?).try_for_each(|event| handler(conn, event, recorded))
        }))
    }
}

/// Only the types that the enum names, unless it takes others.
pub(super) fn reading<E: Event, C, K: Kind>(projection: Projection<C, K>) -> Projection<C, K> {
    match E::TAKES_OTHERS {
        true => projection,
        false => projection.event_types(E::TYPES.iter().map(|known| known.name())),
    }
}

/// The events that one was decoded as, without a list for a single one.
pub(super) fn parts<E>(decoded: Decoded<E>) -> impl Iterator<Item = E> {
    let (one, many) = match decoded {
        Decoded::One(event) => (Some(event), Vec::new()),
        Decoded::Many(events) => (None, events),
        Decoded::Ignored => (None, Vec::new()),
    };
    one.into_iter().chain(many)
}
