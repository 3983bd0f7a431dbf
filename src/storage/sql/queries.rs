/// The queries that are the same on every database, for one connection and its schema. They are written down for each and
/// not generic, because diesel's bounds for that are longer than the queries.
///
/// `time` is what `updated_at` is read as; the macro `is_one_of!(column, names)` is the condition that a column has one of several
/// values.
macro_rules! queries {
    (for $connection:ty; schema: $schema:ident; time: $time:ty; is_one_of: $is_one_of:ident) => {
        /// With `get_result`: `first` binds a LIMIT, and SQLite prepares a statement with a bound LIMIT again at each
        /// execution.
        pub(crate) fn version(
            conn: &mut $connection,
            stream: &$crate::model::stream_id::StreamId,
        ) -> diesel::result::QueryResult<i64> {
            use diesel::prelude::*;
            use $crate::schema::$schema::aggregate_heads as heads;

            let version = heads::table
                .filter(heads::aggregate_type.eq(stream.aggregate_type()))
                .filter(heads::aggregate_id.eq(stream.aggregate_id()))
                .select(heads::aggregate_version)
                .get_result(conn)
                .optional()?;
            Ok(version.unwrap_or(0))
        }

        pub(crate) fn stream(
            conn: &mut $connection,
            stream: &$crate::model::stream_id::StreamId,
            part: $crate::model::stream::StreamPart,
        ) -> diesel::result::QueryResult<Vec<$crate::model::event::RecordedEvent>> {
            use diesel::prelude::*;
            use $crate::model::direction::Direction;
            use $crate::schema::$schema::events;
            use $crate::storage::sql::row::load;

            let of_part = events::table
                .filter(events::aggregate_type.eq(stream.aggregate_type()))
                .filter(events::aggregate_id.eq(stream.aggregate_id()))
                .filter(events::aggregate_version.between(part.from, part.to));
            match part.direction {
                Direction::Forward => {
                    load(conn, of_part.order(events::aggregate_version.asc()), Some(stream))
                }
                Direction::Backward => {
                    load(conn, of_part.order(events::aggregate_version.desc()), Some(stream))
                }
            }
        }

        /// What the query asks for, of the log up to `complete`.
        pub(crate) fn log_events(
            conn: &mut $connection,
            query: &$crate::model::log::LogQuery,
            complete: $crate::model::position::Position,
            limit: i64,
        ) -> diesel::result::QueryResult<Vec<$crate::model::event::RecordedEvent>> {
            use diesel::prelude::*;
            use $crate::model::direction::Direction;
            use $crate::schema::$schema::events;

            if query.is_at_end(complete) {
                return Ok(Vec::new());
            }
            let complete = events::table.filter(events::global_position.le(complete.get()));
            let mut matching = match query.direction {
                Direction::Forward => complete
                    .filter(events::global_position.gt(query.from.get()))
                    .order(events::global_position.asc())
                    .into_boxed(),
                Direction::Backward => complete
                    .filter(events::global_position.lt(query.from.get()))
                    .order(events::global_position.desc())
                    .into_boxed(),
            };
            if let Some(names) = &query.filter.aggregate_types {
                matching = matching.filter($is_one_of!(events::aggregate_type, names));
            }
            if let Some(names) = &query.filter.event_types {
                matching = matching.filter($is_one_of!(events::event_type, names));
            }
            if let Some(correlation_id) = &query.filter.correlation_id {
                matching = matching.filter(events::correlation_id.eq(correlation_id));
            }
            $crate::storage::sql::row::load(conn, matching.limit(limit), None)
        }

        /// The last event at or before a position.
        pub(crate) fn last_position_up_to(
            conn: &mut $connection,
            highest: $crate::model::position::Position,
        ) -> diesel::result::QueryResult<$crate::model::position::Position> {
            use diesel::prelude::*;
            use $crate::model::position::Position;
            use $crate::schema::$schema::events;

            let last: Option<i64> = events::table
                .filter(events::global_position.le(highest.get()))
                .select(diesel::dsl::max(events::global_position))
                .get_result(conn)?;
            Ok(last.map_or(Position::START, Position::stored))
        }

        pub(crate) fn checkpoint(
            conn: &mut $connection,
            projection_name: &str,
        ) -> diesel::result::QueryResult<Option<$crate::model::checkpoint::Checkpoint>> {
            use diesel::prelude::*;
            use $crate::model::checkpoint::Checkpoint;
            use $crate::schema::$schema::projection_checkpoints as checkpoints;

            let row = checkpoints::table
                .find((projection_name, Checkpoint::VERSION, Checkpoint::PARTITION))
                .select((
                    checkpoints::projection_name,
                    checkpoints::projection_version,
                    checkpoints::partition_number,
                    checkpoints::last_global_position,
                    checkpoints::updated_at,
                ))
                .get_result::<(String, i32, i32, i64, $time)>(conn)
                .optional()?;
            Ok(row.map(Checkpoint::stored))
        }

        pub(crate) fn checkpoints(
            conn: &mut $connection,
        ) -> diesel::result::QueryResult<Vec<$crate::model::checkpoint::Checkpoint>> {
            use diesel::prelude::*;
            use $crate::model::checkpoint::Checkpoint;
            use $crate::schema::$schema::projection_checkpoints as checkpoints;

            let rows = checkpoints::table
                .order((
                    checkpoints::projection_name.asc(),
                    checkpoints::projection_version.asc(),
                    checkpoints::partition_number.asc(),
                ))
                .select((
                    checkpoints::projection_name,
                    checkpoints::projection_version,
                    checkpoints::partition_number,
                    checkpoints::last_global_position,
                    checkpoints::updated_at,
                ))
                .load::<(String, i32, i32, i64, $time)>(conn)?;
            Ok(rows.into_iter().map(Checkpoint::stored).collect())
        }

        pub(crate) fn delete_checkpoint(
            conn: &mut $connection,
            projection_name: &str,
        ) -> diesel::result::QueryResult<bool> {
            use diesel::prelude::*;
            use $crate::model::checkpoint::Checkpoint;
            use $crate::schema::$schema::projection_checkpoints as checkpoints;

            let named =
                checkpoints::table.find((projection_name, Checkpoint::VERSION, Checkpoint::PARTITION));
            Ok(diesel::delete(named).execute(conn)? > 0)
        }
    };
}

pub(crate) use queries;
