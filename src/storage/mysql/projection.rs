use diesel::mysql::MysqlConnection;
use diesel::sql_types::Datetime;

use super::time::UtcTime;
use crate::storage::tables::projection_tables;

projection_tables! {
    for MysqlConnection;
    now: "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000";
    or_nothing: "ON DUPLICATE KEY UPDATE projection_name = VALUES(projection_name)";
    as_id: "?";
    last_event_id_as_text: "last_event_id";
    event_id_as_text: "event_id";
    time: UtcTime as Datetime, UtcTime, UtcTime;
}
