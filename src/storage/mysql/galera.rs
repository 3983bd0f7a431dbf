use diesel::prelude::*;
use diesel::sql_types::Text;

#[derive(QueryableByName)]
struct Variable {
    #[diesel(sql_type = Text, column_name = "Value")]
    value: String,
}

/// Whether the server is a node of a cluster, whose other nodes take writes without regard to this one's locks.
pub(super) fn is_galera(conn: &mut MysqlConnection) -> QueryResult<bool> {
    let variables: Vec<Variable> = diesel::sql_query("SHOW VARIABLES LIKE 'wsrep_on'").load(conn)?;
    Ok(variables.iter().any(|variable| variable.value == "ON"))
}
