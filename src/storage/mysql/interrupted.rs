use diesel::connection::{CacheSize, Connection};
use diesel::mysql::MysqlConnection;

use crate::storage::error_kind::DatabaseErrorKind;

/// MariaDB's client library waits for rows that will never come when a prepared statement is executed again whose rows were cut
/// short by an error: by KILL QUERY, say, or on a node of Galera by what another node has committed. So after an error that may
/// have come among rows, diesel's prepared statements are thrown away.
pub(super) fn forget_statements(conn: &mut MysqlConnection, kind: DatabaseErrorKind) {
    if matches!(kind, DatabaseErrorKind::Deadlock | DatabaseErrorKind::Locked | DatabaseErrorKind::Other) {
        conn.set_prepared_statement_cache_size(CacheSize::Disabled);
        conn.set_prepared_statement_cache_size(CacheSize::Unbounded);
    }
}
