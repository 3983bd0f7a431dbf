use diesel::backend::Backend;
use diesel::query_builder::{Query, QueryFragment, QueryId};

/// A query that a database can be asked, for rows of the SQL type `ST`. Who sends it, and waits for the rows,
/// is another matter.
pub(crate) trait Ask<DB: Backend, ST>: Query<SqlType = ST> + QueryFragment<DB> + QueryId {}

impl<DB: Backend, ST, Q: Query<SqlType = ST> + QueryFragment<DB> + QueryId> Ask<DB, ST> for Q {}

/// The queries that are the same on every database, for one backend and its schema. They are written down for
/// each and not generic, because diesel's bounds for that are longer than the queries.
///
/// `time` is the type of `updated_at`; the macro `is_one_of!(column, names)` is the condition that a column
/// has one of several values; `every!(query)` asks for all rows, as they are.
macro_rules! queries {
    (for $backend:ty; schema: $schema:ident; time: $time:ty; is_one_of: $is_one_of:ident; every: $every:ident) => {
        use diesel::prelude::{ExpressionMethods, QueryDsl};
        use diesel::sql_types::{BigInt, Integer, Nullable, Text};
        use $crate::model::checkpoint::Checkpoint;
        use $crate::model::direction::Direction;
        use $crate::model::log::LogQuery;
        use $crate::model::position::Position;
        use $crate::model::stream::StreamPart;
        use $crate::model::stream_id::StreamId;
        use $crate::schema::$schema::{
            aggregate_heads as heads, events, projection_checkpoints as checkpoints,
        };
        use $crate::storage::sql::queries::Ask;
        use $crate::storage::sql::tenant::{OfTenant, Tenant};

        /// Without a LIMIT: SQLite prepares a statement with a bound LIMIT again at each execution.
        pub(super) fn version(stream: &StreamId) -> impl Ask<$backend, BigInt> {
            let of_stream = heads::table
                .filter(heads::tenant_id.eq(Tenant(stream.tenant_column())))
                .filter(heads::aggregate_type.eq(stream.aggregate_type()))
                .filter(heads::aggregate_id.eq(stream.aggregate_id()))
                .select(heads::aggregate_version);
            $every!(of_stream)
        }

        /// In the order of the versions.
        pub(super) fn stream_events(
            stream: &StreamId,
            part: StreamPart,
        ) -> impl Ask<$backend, events::SqlType> {
            let of_stream = events::table
                .filter(events::tenant_id.eq(Tenant(stream.tenant_column())))
                .filter(events::aggregate_type.eq(stream.aggregate_type()))
                .filter(events::aggregate_id.eq(stream.aggregate_id()))
                .filter(events::aggregate_version.between(part.from, part.to))
                .order(events::aggregate_version.asc());
            $every!(of_stream)
        }

        /// What the query asks for, of the log up to `complete`.
        pub(super) fn log_events(query: &LogQuery, complete: Position) -> events::BoxedQuery<'_, $backend> {
            // Backward, one bound: of two, SQLite may begin at the higher one, and scan down from there.
            let below = query.from.get().min(complete.get().saturating_add(1));
            let mut matching = match query.direction {
                Direction::Forward => events::table
                    .filter(events::global_position.le(complete.get()))
                    .filter(events::global_position.gt(query.from.get()))
                    .order(events::global_position.asc())
                    .into_boxed::<$backend>(),
                Direction::Backward => events::table
                    .filter(events::global_position.lt(below))
                    .order(events::global_position.desc())
                    .into_boxed(),
            };
            if let Some(tenant_id) = &query.filter.tenant_id {
                matching = matching.filter(OfTenant(tenant_id));
            }
            if let Some(names) = &query.filter.aggregate_types {
                matching = matching.filter($is_one_of!(events::aggregate_type, names));
            }
            if let Some(names) = &query.filter.event_types {
                matching = matching.filter($is_one_of!(events::event_type, names));
            }
            if let Some(correlation_id) = &query.filter.correlation_id {
                matching = matching.filter(events::correlation_id.eq(correlation_id));
            }
            matching
        }

        /// The last event at or before a position.
        pub(super) fn last_position(highest: Position) -> impl Ask<$backend, Nullable<BigInt>> {
            events::table
                .filter(events::global_position.le(highest.get()))
                .select(diesel::dsl::max(events::global_position))
        }

        type CheckpointColumns = (Text, Integer, Integer, BigInt, $time);

        const CHECKPOINT: (
            checkpoints::projection_name,
            checkpoints::projection_version,
            checkpoints::partition_number,
            checkpoints::last_global_position,
            checkpoints::updated_at,
        ) = (
            checkpoints::projection_name,
            checkpoints::projection_version,
            checkpoints::partition_number,
            checkpoints::last_global_position,
            checkpoints::updated_at,
        );

        pub(super) fn checkpoint(projection_name: &str) -> impl Ask<$backend, CheckpointColumns> {
            let of_projection = checkpoints::table
                .find((projection_name, Checkpoint::VERSION, Checkpoint::PARTITION))
                .select(CHECKPOINT);
            $every!(of_projection)
        }

        pub(super) fn every_checkpoint() -> impl Ask<$backend, CheckpointColumns> {
            let in_order = checkpoints::table
                .order((
                    checkpoints::projection_name.asc(),
                    checkpoints::projection_version.asc(),
                    checkpoints::partition_number.asc(),
                ))
                .select(CHECKPOINT);
            $every!(in_order)
        }
    };
}

pub(crate) use queries;
