//! How the columns' TEXT becomes Rust, and the other way round.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::sql_types::Text;
use diesel::sqlite::{Sqlite, SqliteValue};
use uuid::Uuid;

/// The time as `2026-11-22T05:12:45.403334Z`: always six digits, so that it sorts as text.
pub(super) fn time_text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A UUID as its 36 characters, in lower case.
#[derive(Debug, FromSqlRow)]
pub(super) struct UuidText(pub(super) Uuid);

impl FromSql<Text, Sqlite> for UuidText {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = value.read_text();
        Uuid::try_parse(text).map(Self).map_err(|error| format!("event_id {text:?}: {error}").into())
    }
}

/// A time as `2026-11-22T05:12:45.403334Z`: always six digits, so that it sorts as text.
#[derive(Debug, FromSqlRow)]
pub(super) struct TimeText(pub(super) DateTime<Utc>);

impl FromSql<Text, Sqlite> for TimeText {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = value.read_text();
        match DateTime::parse_from_rfc3339(text) {
            Ok(time) => Ok(Self(time.to_utc())),
            Err(error) => Err(format!("time {text:?}: {error}").into()),
        }
    }
}

/// Text that is allocated once, as what it will be kept in.
macro_rules! text_into {
    ($name:ident, $kept:ty) => {
        #[derive(Debug, FromSqlRow)]
        pub(super) struct $name(pub(super) $kept);

        impl FromSql<Text, Sqlite> for $name {
            fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
                Ok(Self(value.read_text().into()))
            }
        }
    };
}

text_into!(SharedText, Arc<str>);
text_into!(BoxedText, Box<str>);
