use chrono::{DateTime, Utc};
use diesel::deserialize::{self, FromSql};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Text;
use diesel::sqlite::{Sqlite, SqliteValue};
use uuid::Uuid;

use super::text::{parse_id, parse_time, time_text};
use crate::storage::sql::dialect::{Dialect, Id, Time, binds};
use crate::storage::sql::row::Columns;

impl Columns for Sqlite {
    fn long(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<i64> {
        Ok(value.read_long())
    }

    fn integer(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<i32> {
        Ok(value.read_integer())
    }

    fn name<T>(mut value: SqliteValue<'_, '_, '_>, read: impl FnOnce(&str) -> T) -> deserialize::Result<T> {
        Ok(read(value.read_text()))
    }

    /// Through `String`, for which diesel checks once that it is UTF-8; `read_text` does so twice.
    fn text(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Box<str>> {
        <String as FromSql<Text, Sqlite>>::from_sql(value).map(String::into_boxed_str)
    }

    fn json(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Box<str>> {
        Self::text(value)
    }

    fn id(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Uuid> {
        parse_id(value.read_text())
    }

    fn time(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<DateTime<Utc>> {
        parse_time(value.read_text())
    }
}

impl Dialect for Sqlite {
    const NOW: &'static str = "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)";
    const OR_NOTHING: &'static str = "ON CONFLICT DO NOTHING";
    const OR_REPLACE: &'static str = "ON CONFLICT \
         (tenant_id, aggregate_type, aggregate_id, snapshot_version) DO UPDATE SET \
         aggregate_version = excluded.aggregate_version, event_id = excluded.event_id, state = excluded.state";
    /// With the value alone, SQLite prepares the statement again at each execution.
    const END_LIMIT: &'static str = " + 0";
    const OF_TENANT: (&'static str, &'static str) = ("+events.tenant_id = ", "");

    binds! {}
}

impl ToSql<Id, Sqlite> for Uuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.to_string());
        Ok(IsNull::No)
    }
}

impl ToSql<Time, Sqlite> for DateTime<Utc> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(time_text(*self));
        Ok(IsNull::No)
    }
}
