use diesel::expression::QueryMetadata;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use crate::model::direction::Direction;
use crate::model::event::RecordedEvent;
use crate::model::stream::StreamPart;
use crate::model::stream_id::StreamId;
use crate::storage::executor::Executor;
use crate::storage::lent::{BackendOf, Lent};
use crate::storage::sql::dialect::{Dialect, Id, Time};
use crate::storage::sql::row::Events;
use crate::storage::sql::statement::statement;
use crate::storage::stream_page::StreamPage;

/// Those of an event.
type EventColumns = (
    BigInt,
    Text,
    Text,
    Text,
    BigInt,
    Id,
    Text,
    Integer,
    Text,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Time,
);

macro_rules! select_page {
    ($name:ident, $order:literal) => {
        statement! {
            for every database;
            $name<'a> {
                tenant_id: &'a str => bind_tenant,
                aggregate_type: &'a str => bind_text,
                aggregate_id: &'a str => bind_text,
                from: i64 => bind_long,
                to: i64 => bind_long,
                limit: i64 => bind_long,
            } -> EventColumns,
            concat!(
                "SELECT global_position, tenant_id, aggregate_type, aggregate_id, aggregate_version, event_id, \
                 event_type, event_version, payload, metadata, trace_id, correlation_id, causation_id, created_at \
                 FROM events WHERE tenant_id = ? AND aggregate_type = ? AND aggregate_id = ? \
                 AND aggregate_version BETWEEN ? AND ?{as_they_are} ORDER BY aggregate_version ",
                $order,
                " LIMIT ?{end_limit}"
            )
        }

        impl<'a> $name<'a> {
            fn of(stream: &'a StreamId, StreamPart { from, to, .. }: StreamPart, limit: i64) -> Self {
                Self {
                    tenant_id: stream.tenant_column(),
                    aggregate_type: stream.aggregate_type(),
                    aggregate_id: stream.aggregate_id(),
                    from,
                    to,
                    limit,
                }
            }
        }
    };
}

select_page!(SelectFirst, "ASC");
select_page!(SelectLast, "DESC");

impl<L> StreamPage for L
where
    L: Lent,
    BackendOf<L>: Dialect + QueryMetadata<EventColumns>,
{
    async fn stream_page(
        &mut self,
        stream: &StreamId,
        part: StreamPart,
        limit: i64,
    ) -> QueryResult<Vec<RecordedEvent>> {
        let (conn, events) = (self.connection(), Events::of_stream(stream));
        match part.direction {
            Direction::Forward => conn.load(SelectFirst::of(stream, part, limit), events).await,
            Direction::Backward => conn.load(SelectLast::of(stream, part, limit), events).await,
        }
    }
}
