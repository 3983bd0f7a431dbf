use diesel::mysql::Mysql;
use diesel::result::Error;
use diesel::sql_types::BigInt;

use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::executor::Executor;
use crate::storage::refused::Refused;
use crate::storage::sql::statement::statement;

statement! {
    for Mysql;
    HasLog -> BigInt,
    "SELECT EXISTS (SELECT * FROM event_log WHERE id = 1)"
}

/// Which table has lost a row that the migration has put into it, after one was not found.
pub(super) async fn lost_row<C: Executor<Backend = Mysql>>(conn: &mut C) -> Error {
    match conn.row::<_, i64>(HasLog).await {
        Ok(0) => Refused::without_log_row(),
        Ok(_) => Refused::error(DatabaseErrorKind::NeedsRepair, "event_fence has lost a row"),
        Err(error) => error,
    }
}
