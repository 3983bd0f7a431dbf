use diesel::mysql::Mysql;
use diesel::prelude::QueryableByName;
use diesel::result::QueryResult;
use diesel::sql_types::Text;

use crate::storage::executor::Executor;

#[derive(QueryableByName)]
struct Variable {
    #[diesel(sql_type = Text, column_name = "Value")]
    value: String,
}

/// Whether the server is a node of a cluster, whose other nodes take writes without regard to this one's
/// locks.
pub(super) async fn is_galera<C: Executor<Backend = Mysql>>(conn: &mut C) -> QueryResult<bool> {
    let variables: Vec<Variable> = conn.rows(diesel::sql_query("SHOW VARIABLES LIKE 'wsrep_on'")).await?;
    Ok(variables.iter().any(|variable| variable.value == "ON"))
}
