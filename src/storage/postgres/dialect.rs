use std::str;

use chrono::{DateTime, Utc};
use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::AstPass;
use diesel::result::QueryResult;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{self, BigInt, Integer, Timestamptz};
use uuid::Uuid;

use crate::storage::sql::dialect::{Dialect, Id, Time, binds};
use crate::storage::sql::row::Columns;

impl Columns for Pg {
    fn long(value: PgValue<'_>) -> deserialize::Result<i64> {
        FromSql::<BigInt, Pg>::from_sql(value)
    }

    fn integer(value: PgValue<'_>) -> deserialize::Result<i32> {
        FromSql::<Integer, Pg>::from_sql(value)
    }

    fn name<T>(value: PgValue<'_>, read: impl FnOnce(&str) -> T) -> deserialize::Result<T> {
        Ok(read(str::from_utf8(value.as_bytes())?))
    }

    fn text(value: PgValue<'_>) -> deserialize::Result<Box<str>> {
        Self::name(value, |text| text.into())
    }

    /// JSON comes as the text it is.
    fn json(value: PgValue<'_>) -> deserialize::Result<Box<str>> {
        Self::text(value)
    }

    fn id(value: PgValue<'_>) -> deserialize::Result<Uuid> {
        FromSql::<sql_types::Uuid, Pg>::from_sql(value)
    }

    fn time(value: PgValue<'_>) -> deserialize::Result<DateTime<Utc>> {
        FromSql::<Timestamptz, Pg>::from_sql(value)
    }
}

impl Dialect for Pg {
    const NOW: &'static str = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)";
    const OR_NOTHING: &'static str = "ON CONFLICT DO NOTHING";
    const OR_REPLACE: &'static str = "ON CONFLICT \
         (tenant_id, aggregate_type, aggregate_id, snapshot_version) DO UPDATE SET \
         aggregate_version = excluded.aggregate_version, event_id = excluded.event_id, state = excluded.state";
    /// Unlike an expression of the column, this is planned by what is known of the column.
    /// `event_log` has as many versions of its row as gapless appends have made during the longest transaction.
    const ONE_ROW: &'static str = "(SELECT 1 AS id)";
    /// PostgreSQL expects a single event of a stream where most have few. With a plain join it then reads all of
    /// a long one to look for it.
    const EVENTS_ON: (&'static str, &'static str) =
        ("LATERAL (SELECT * FROM events AS event WHERE", "OFFSET 0) AS event ON TRUE");
    const OF_TENANT: (&'static str, &'static str) = ("(events.tenant_id = ", ") IS TRUE");

    /// It refuses a session in which the stream would not be read, or written, as it is. As a value that an
    /// index is searched for, the function runs once per scan.
    fn bind_tenant<'b>(out: &mut AstPass<'_, 'b, Self>, value: &'b str) -> QueryResult<()> {
        out.push_sql("event_store_tenant(");
        Self::bind_text(out, value)?;
        out.push_sql(")");
        Ok(())
    }

    binds! {}
}

impl ToSql<Id, Pg> for Uuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<sql_types::Uuid, Pg>::to_sql(self, out)
    }
}

impl ToSql<Time, Pg> for DateTime<Utc> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Timestamptz, Pg>::to_sql(self, out)
    }
}
