use diesel::connection::{CacheSize, Connection};
use diesel::mysql::MysqlConnection;
use diesel::result::Error;

use super::error::kind;
use crate::storage::error_kind::DatabaseErrorKind;

/// MariaDB's client library waits for rows that will never come when a prepared statement is executed again
/// whose rows were cut short by an error: by KILL QUERY, say, or on a node of Galera by what another node has
/// committed. So after an error that may have come among rows, the prepared statements are thrown away.
pub(super) trait PreparedStatements {
    fn forget_statements(&mut self);
}

impl PreparedStatements for MysqlConnection {
    fn forget_statements(&mut self) {
        self.set_prepared_statement_cache_size(CacheSize::Disabled);
        self.set_prepared_statement_cache_size(CacheSize::Unbounded);
    }
}

pub(super) fn forget_interrupted(conn: &mut MysqlConnection, error: &Error) {
    use DatabaseErrorKind::{Deadlock, Locked, Other};
    if matches!(kind(error), Deadlock | Locked | Other) {
        conn.forget_statements();
    }
}
