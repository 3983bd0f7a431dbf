use std::io::Write;
use std::str;

use chrono::{DateTime, Utc};
use diesel::deserialize::{self, FromSql};
use diesel::mysql::{Mysql, MysqlValue};
use diesel::query_builder::AstPass;
use diesel::result::QueryResult;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Integer};
use uuid::Uuid;

use super::guards::same_texts;
use super::tenant::tenant;
use super::time;
use crate::storage::sql::dialect::{Dialect, Id, binds};
use crate::storage::sql::row::Columns;

impl Columns for Mysql {
    fn long(value: MysqlValue<'_>) -> deserialize::Result<i64> {
        FromSql::<BigInt, Mysql>::from_sql(value)
    }

    fn integer(value: MysqlValue<'_>) -> deserialize::Result<i32> {
        FromSql::<Integer, Mysql>::from_sql(value)
    }

    fn name<T>(value: MysqlValue<'_>, read: impl FnOnce(&str) -> T) -> deserialize::Result<T> {
        Ok(read(str::from_utf8(value.as_bytes())?))
    }

    fn text(value: MysqlValue<'_>) -> deserialize::Result<Box<str>> {
        Self::name(value, |text| text.into())
    }

    fn json(value: MysqlValue<'_>) -> deserialize::Result<Box<str>> {
        Self::text(value)
    }

    fn id(value: MysqlValue<'_>) -> deserialize::Result<Uuid> {
        Self::name(value, Uuid::try_parse)?.map_err(|error| format!("event_id: {error}").into())
    }

    fn time(value: MysqlValue<'_>) -> deserialize::Result<DateTime<Utc>> {
        time::read(value)
    }
}

impl Dialect for Mysql {
    const NOW: &'static str = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000";
    const OR_NOTHING: &'static str = "ON DUPLICATE KEY UPDATE projection_name = VALUES(projection_name)";
    const OR_REPLACE: &'static str = "ON DUPLICATE KEY UPDATE \
         aggregate_version = VALUES(aggregate_version), event_id = VALUES(event_id), state = VALUES(state)";
    /// A session may have a limit of its own (sql_select_limit), for what has none.
    const ALL: &'static str = " LIMIT 9223372036854775807";
    const EVENTS_ON: (&'static str, &'static str) = ("events AS event ON", Self::AS_THEY_ARE);
    const AS_THEY_ARE: &'static str = concat!(" AND ", same_texts!());
    const OF_TENANT: (&'static str, &'static str) = ("COALESCE(events.tenant_id) = ", "");

    binds! {}

    fn bind_tenant<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b str) -> QueryResult<()> {
        let (before, after) = tenant!().split_once('?').unwrap_or_default();
        out.push_sql(before);
        Self::bind_text(out, value)?;
        out.push_sql(after);
        Ok(())
    }
}

impl ToSql<Id, Mysql> for Uuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Mysql>) -> serialize::Result {
        write!(out, "{self}")?;
        Ok(IsNull::No)
    }
}
