use diesel::connection::{CacheSize, Connection};
use diesel::mysql::{Mysql, MysqlConnection};
use diesel::result::{Error, QueryResult};
use diesel::sql_types::Text;

use super::error::kind;
use super::prepared::PreparedStatements;
use crate::storage::blocking::load;
use crate::storage::error_kind::DatabaseErrorKind;
use crate::storage::sql::rows::First;
use crate::storage::sql::statement::statement;

statement! {
    for Mysql;
    /// How many statements this connection has prepared, this one included unless it is kept.
    CountPrepared -> (Text, Text),
    "SHOW SESSION STATUS LIKE 'Com_stmt_prepare'"
}

impl PreparedStatements for MysqlConnection {
    fn forget_statements(&mut self) -> QueryResult<()> {
        let keeps = keeps_statements(self);
        // If that was interrupted in turn, its own statement has to go as well.
        if *keeps.as_ref().unwrap_or(&true) {
            self.set_prepared_statement_cache_size(CacheSize::Disabled);
            self.set_prepared_statement_cache_size(CacheSize::Unbounded);
        }
        keeps.map(drop)
    }
}

/// Whether the application has left diesel's cache of prepared statements on: diesel does not say. A
/// statement that is not kept is prepared, and so counted, each time.
fn keeps_statements(conn: &mut MysqlConnection) -> QueryResult<bool> {
    let mut count = || load(conn, CountPrepared, First::<(Text, Text), (String, String)>::default());
    Ok(count()? == count()?)
}

/// What is to be said of a query that has failed with this error. That the transaction is gone, which the
/// server may say on this occasion, matters more.
pub(super) fn forget_interrupted(conn: &mut MysqlConnection, error: Error) -> Error {
    use DatabaseErrorKind::{Deadlock, Locked, Other};
    if !matches!(kind(&error), Deadlock | Locked | Other) {
        return error;
    }
    match conn.forget_statements() {
        Err(lost) if kind(&lost) == Deadlock => lost,
        _ => error,
    }
}
