use chrono::{DateTime, Utc};
use diesel::query_builder::AstPass;
use diesel::result::QueryResult;
use diesel::sql_types::SqlType;
use uuid::Uuid;

use crate::storage::sql::row::Columns;

/// A time: TIMESTAMPTZ on PostgreSQL, DATETIME(6) on MySQL, text on SQLite.
#[derive(Debug, SqlType)]
#[diesel(
    postgres_type(oid = 1184, array_oid = 1185),
    mysql_type(name = "DateTime"),
    sqlite_type(name = "Text")
)]
pub(crate) struct Time;

/// The id of an event: UUID on PostgreSQL, text elsewhere.
#[derive(Debug, SqlType)]
#[diesel(
    postgres_type(oid = 2950, array_oid = 2951),
    mysql_type(name = "String"),
    sqlite_type(name = "Text")
)]
pub(crate) struct Id;

/// What differs from database to database in statements that are the same otherwise.
pub(crate) trait Dialect: Columns {
    /// The database's clock, in milliseconds since 1970.
    const NOW: &'static str;
    /// What makes an INSERT of a key that is there do nothing.
    const OR_NOTHING: &'static str;
    /// What makes an INSERT of a snapshot that is there replace it.
    const OR_REPLACE: &'static str;
    /// A table with one row, whose `id` is 1: MariaDB makes a temporary one of a subquery.
    const ONE_ROW: &'static str = "event_log";
    /// What asks for all rows, at the end of a statement that may be about several. With it, MySQL's safe
    /// updates allow one that uses no key.
    const ALL: &'static str = "";
    /// What is around the condition of a LEFT JOIN with `events` that depends on another table, so that an
    /// index answers it.
    const EVENTS_ON: (&'static str, &'static str) = ("events AS event ON", "");
    /// What stands behind the value of a LIMIT.
    const END_LIMIT: &'static str = "";
    /// What stands behind a condition, and refuses a session in which texts are not read as they are.
    const AS_THEY_ARE: &'static str = "";
    /// What is around a tenant in the condition that an event is of that tenant, so that no index answers it.
    const OF_TENANT: (&'static str, &'static str);

    fn bind_text<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b str) -> QueryResult<()>;
    /// A tenant, which may be empty.
    fn bind_tenant<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b str) -> QueryResult<()> {
        Self::bind_text(out, value)
    }
    fn bind_integer<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b i32) -> QueryResult<()>;
    fn bind_long<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b i64) -> QueryResult<()>;
    fn bind_optional_long<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b Option<i64>) -> QueryResult<()>;
    fn bind_id<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b Uuid) -> QueryResult<()>;
    fn bind_optional_id<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b Option<Uuid>) -> QueryResult<()>;
    fn bind_time<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b DateTime<Utc>) -> QueryResult<()>;
}

/// The functions of [`Dialect`], for a backend that has the types.
macro_rules! binds {
    ($($name:ident($rust:ty => $sql_type:ty);)+) => {
        $(
            fn $name<'b>(
                out: &mut diesel::query_builder::AstPass<'_, 'b, Self>,
                value: &'b $rust,
            ) -> diesel::result::QueryResult<()> {
                out.push_bind_param::<$sql_type, _>(value)
            }
        )+
    };
    () => {
        $crate::storage::sql::dialect::binds! {
            bind_text(str => diesel::sql_types::Text);
            bind_integer(i32 => diesel::sql_types::Integer);
            bind_long(i64 => diesel::sql_types::BigInt);
            bind_optional_long(Option<i64> => diesel::sql_types::Nullable<diesel::sql_types::BigInt>);
            bind_id(uuid::Uuid => $crate::storage::sql::dialect::Id);
            bind_optional_id(
                Option<uuid::Uuid> => diesel::sql_types::Nullable<$crate::storage::sql::dialect::Id>
            );
            bind_time(chrono::DateTime<chrono::Utc> => $crate::storage::sql::dialect::Time);
        }
    };
}

pub(crate) use binds;
