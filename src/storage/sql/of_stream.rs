/// A [`statement`](super::statement) about one stream, whose key are its fields. `of` fills it in.
macro_rules! of_stream {
    (for $backend:ty; $(#[$doc:meta])* $name:ident $(-> $row:ty)?, $sql:expr) => {
        $crate::storage::sql::statement::statement! {
            for $backend;
            $(#[$doc])*
            $name<'a> {
                tenant_id: &'a str => diesel::sql_types::Text,
                aggregate_type: &'a str => diesel::sql_types::Text,
                aggregate_id: &'a str => diesel::sql_types::Text,
            } $(-> $row)?,
            $sql
        }

        impl<'a> $name<'a> {
            pub(crate) fn of(stream: &'a $crate::model::stream_id::StreamId) -> Self {
                Self {
                    tenant_id: stream.tenant_column(),
                    aggregate_type: stream.aggregate_type(),
                    aggregate_id: stream.aggregate_id(),
                }
            }
        }
    };
}

pub(crate) use of_stream;
