use std::str;

use chrono::{DateTime, Utc};
use diesel::deserialize::{self, FromSql};
use diesel::mysql::{Mysql, MysqlValue};
use diesel::sql_types::{BigInt, Datetime, Integer};
use uuid::Uuid;

use super::time::UtcTime;
use crate::storage::sql::row::EventColumns;

impl EventColumns for Mysql {
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
        <UtcTime as FromSql<Datetime, Mysql>>::from_sql(value).map(|time| time.0)
    }
}
