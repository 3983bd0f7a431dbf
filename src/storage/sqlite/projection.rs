use diesel::sqlite::SqliteConnection;

use super::text::{TimeText, time_text};
use crate::storage::tables::projection_tables;

projection_tables! {
    for SqliteConnection;
    now: "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)";
    or_nothing: "ON CONFLICT DO NOTHING";
    as_id: "?";
    last_event_id_as_text: "last_event_id";
    event_id_as_text: "event_id";
    time: String as Text, time_text, TimeText;
}
