//! Times in DATETIME(6) columns: in UTC, which no session's time zone changes.

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use diesel::deserialize::{self, FromSql};
use diesel::mysql::data_types::{MysqlTime, MysqlTimestampType};
use diesel::mysql::{Mysql, MysqlValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Datetime;

use crate::storage::sql::dialect::Time;

impl ToSql<Time, Mysql> for DateTime<Utc> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Mysql>) -> serialize::Result {
        let time = MysqlTime::new(
            u32::try_from(self.year())?,
            self.month(),
            self.day(),
            self.hour(),
            self.minute(),
            self.second(),
            (self.nanosecond() / 1_000).into(),
            false,
            MysqlTimestampType::MYSQL_TIMESTAMP_DATETIME,
            0,
        );
        ToSql::<Datetime, Mysql>::to_sql(&time, &mut out.reborrow())
    }
}

pub(super) fn read(value: MysqlValue<'_>) -> deserialize::Result<DateTime<Utc>> {
    let time = <MysqlTime as FromSql<Datetime, Mysql>>::from_sql(value)?;
    utc(&time).ok_or_else(|| format!("no such time: {time:?}").into())
}

fn utc(time: &MysqlTime) -> Option<DateTime<Utc>> {
    let day = NaiveDate::from_ymd_opt(i32::try_from(time.year).ok()?, time.month, time.day)?;
    let micros = u32::try_from(time.second_part).ok()?;
    Some(day.and_hms_micro_opt(time.hour, time.minute, time.second, micros)?.and_utc())
}
