/// A writing statement with a fixed text. diesel's query builder prepares `diesel::update` and upserts anew at each execution,
/// and puts an insert together from its columns each time, which costs as much as running them.
///
/// Every `?` takes the next field. The statement is prepared once a connection.
macro_rules! statement {
    (
        $(#[$doc:meta])*
        $name:ident<'a> { $($field:ident: $rust:ty => $sql_type:ty),+ $(,)? },
        $sql:literal
    ) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(super) struct $name<'a> {
            $(pub(super) $field: $rust),+
        }

        impl diesel::query_builder::QueryFragment<diesel::sqlite::Sqlite> for $name<'_> {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::sqlite::Sqlite>,
            ) -> diesel::result::QueryResult<()> {
                let mut texts = $sql.split('?');
                $(
                    out.push_sql(texts.next().unwrap_or_default());
                    out.push_bind_param::<$sql_type, _>(&self.$field)?;
                )+
                out.push_sql(texts.next().unwrap_or_default());
                Ok(())
            }
        }

        impl diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl diesel::RunQueryDsl<diesel::sqlite::SqliteConnection> for $name<'_> {}
    };
}

pub(super) use statement;
