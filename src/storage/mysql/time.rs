//! Times in DATETIME(6) columns: in UTC, which no session's time zone changes.

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::mysql::data_types::{MysqlTime, MysqlTimestampType};
use diesel::mysql::{Mysql, MysqlValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Datetime;

#[derive(Debug, Clone, Copy, AsExpression, FromSqlRow)]
#[diesel(sql_type = Datetime)]
pub(super) struct UtcTime(pub(super) DateTime<Utc>);

impl ToSql<Datetime, Mysql> for UtcTime {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Mysql>) -> serialize::Result {
        let time = self.0;
        let time = MysqlTime::new(
            u32::try_from(time.year())?,
            time.month(),
            time.day(),
            time.hour(),
            time.minute(),
            time.second(),
            (time.nanosecond() / 1_000).into(),
            false,
            MysqlTimestampType::MYSQL_TIMESTAMP_DATETIME,
            0,
        );
        ToSql::<Datetime, Mysql>::to_sql(&time, &mut out.reborrow())
    }
}

impl FromSql<Datetime, Mysql> for UtcTime {
    fn from_sql(value: MysqlValue<'_>) -> deserialize::Result<Self> {
        let time = <MysqlTime as FromSql<Datetime, Mysql>>::from_sql(value)?;
        utc(&time).map(Self).ok_or_else(|| format!("no such time: {time:?}").into())
    }
}

fn utc(time: &MysqlTime) -> Option<DateTime<Utc>> {
    let day = NaiveDate::from_ymd_opt(i32::try_from(time.year).ok()?, time.month, time.day)?;
    let micros = u32::try_from(time.second_part).ok()?;
    Some(day.and_hms_micro_opt(time.hour, time.minute, time.second, micros)?.and_utc())
}

impl From<UtcTime> for DateTime<Utc> {
    fn from(time: UtcTime) -> Self {
        time.0
    }
}
