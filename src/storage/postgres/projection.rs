use std::convert::identity;

use diesel::pg::PgConnection;
use diesel::sql_types::Timestamptz;

use crate::storage::tables::projection_tables;

projection_tables! {
    for PgConnection;
    now: "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)";
    or_nothing: "ON CONFLICT DO NOTHING";
    as_id: "CAST(? AS uuid)";
    last_event_id_as_text: "CAST(last_event_id AS text)";
    event_id_as_text: "CAST(event_id AS text)";
    time: DateTime<Utc> as Timestamptz, identity, DateTime<Utc>;
}
