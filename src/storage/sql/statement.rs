/// A statement with a fixed text. diesel's query builder prepares `diesel::update` and upserts anew at each execution,
/// which costs more than running them.
///
/// Every `?` takes the next field. With `-> (…)` it returns rows of these SQL types. It is prepared once a connection.
macro_rules! statement {
    (
        for $connection:ty;
        $(#[$doc:meta])*
        $name:ident $(-> $row:ty)?,
        $sql:expr
    ) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name;

        impl diesel::query_builder::QueryFragment<<$connection as diesel::Connection>::Backend> for $name {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, <$connection as diesel::Connection>::Backend>,
            ) -> diesel::result::QueryResult<()> {
                out.push_sql($sql);
                Ok(())
            }
        }

        impl diesel::query_builder::QueryId for $name {
            type QueryId = Self;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        $(
            impl diesel::query_builder::Query for $name {
                type SqlType = $row;
            }
        )?

        impl diesel::RunQueryDsl<$connection> for $name {}
    };
    (
        for $connection:ty;
        $(#[$doc:meta])*
        $name:ident<'a> { $($field:ident: $rust:ty => $sql_type:ty),+ $(,)? } $(-> $row:ty)?,
        $sql:expr
    ) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name<'a> {
            $(pub(crate) $field: $rust),+
        }

        impl diesel::query_builder::QueryFragment<<$connection as diesel::Connection>::Backend> for $name<'_> {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, <$connection as diesel::Connection>::Backend>,
            ) -> diesel::result::QueryResult<()> {
                const TEXTS: [&str; $crate::storage::sql::statement::count($sql)] = $crate::storage::sql::statement::split($sql);
                let mut texts = TEXTS.into_iter();
                $(
                    texts.next().into_iter().for_each(|text| out.push_sql(text));
                    out.push_bind_param::<$sql_type, _>(&self.$field)?;
                )+
                texts.for_each(|text| out.push_sql(text));
                Ok(())
            }
        }

        impl diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        $(
            impl diesel::query_builder::Query for $name<'_> {
                type SqlType = $row;
            }
        )?

        impl diesel::RunQueryDsl<$connection> for $name<'_> {}
    };
}

pub(crate) use statement;

/// How many texts there are between the question marks.
pub(crate) const fn count(sql: &str) -> usize {
    let (mut texts, mut at) = (1, 0);
    while at < sql.len() {
        if sql.as_bytes()[at] == b'?' {
            texts += 1;
        }
        at += 1;
    }
    texts
}

/// The texts between the question marks. At compile time, because diesel walks a statement several times an execution.
pub(crate) const fn split<const N: usize>(sql: &'static str) -> [&'static str; N] {
    let mut texts = [""; N];
    let (mut rest, mut text, mut at) = (sql, 0, 0);
    while at < rest.len() {
        if rest.as_bytes()[at] == b'?' {
            (texts[text], rest) = (rest.split_at(at).0, rest.split_at(at + 1).1);
            (text, at) = (text + 1, 0);
        } else {
            at += 1;
        }
    }
    texts[text] = rest;
    texts
}
