/// A writing statement with a fixed text. diesel's query builder prepares `diesel::update` and upserts anew at each
/// execution, which costs more than running them.
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
                const TEXTS: [&str; $crate::sqlite::statement::count($sql)] =
                    $crate::sqlite::statement::split($sql);
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

        impl diesel::RunQueryDsl<diesel::sqlite::SqliteConnection> for $name<'_> {}
    };
}

pub(super) use statement;

/// How many texts there are between the question marks.
pub(super) const fn count(sql: &str) -> usize {
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
pub(super) const fn split<const N: usize>(sql: &'static str) -> [&'static str; N] {
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
