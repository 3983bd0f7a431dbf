//! What an application does itself on the same connection.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_event_store::EventConnection;

/// The same on each database, with diesel's own connection to it.
#[macro_export]
macro_rules! on_any_database {
    ($lender:ident, $conn:ident => $work:expr) => {
        match diesel_event_store::EventConnection::lend($lender) {
            #[cfg(feature = "postgres")]
            diesel_event_store::ConnectionRef::Postgres($conn) => $work,
            #[cfg(feature = "mysql")]
            diesel_event_store::ConnectionRef::Mysql($conn) => $work,
            #[cfg(feature = "sqlite")]
            diesel_event_store::ConnectionRef::Sqlite($conn) => $work,
            _ => unreachable!("the tests do not know this database"),
        }
    };
}

/// As text: MySQL does not prepare BEGIN, COMMIT and others.
pub fn execute<C: EventConnection + ?Sized>(conn: &mut C, sql: &str) -> QueryResult<()> {
    on_any_database!(conn, conn => conn.batch_execute(sql))
}

/// How many rows a statement has changed.
pub fn changed<C: EventConnection + ?Sized>(conn: &mut C, sql: &str) -> QueryResult<usize> {
    on_any_database!(conn, conn => diesel::sql_query(sql).execute(conn))
}

/// How many rows there are in `FROM …`.
pub fn count<C: EventConnection + ?Sized>(conn: &mut C, from: &str) -> QueryResult<i64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        rows_found: i64,
    }
    let sql = format!("SELECT COUNT(*) AS rows_found FROM {from}");
    on_any_database!(conn, conn => diesel::sql_query(sql).get_result::<Row>(conn)).map(|row| row.rows_found)
}

pub fn table_exists<C: EventConnection + ?Sized>(conn: &mut C, table: &str) -> bool {
    count(conn, table).is_ok()
}

/// The application's own table.
pub fn create_app_rows<C: EventConnection + ?Sized>(conn: &mut C) -> QueryResult<()> {
    execute(conn, "CREATE TABLE app_rows (name VARCHAR(50) NOT NULL)")
}

pub fn insert_app_row<C: EventConnection + ?Sized>(conn: &mut C, name: &str) -> QueryResult<()> {
    changed(conn, &format!("INSERT INTO app_rows (name) VALUES ('{name}')")).map(drop)
}

/// The names of the application's rows, sorted.
pub fn app_rows<C: EventConnection + ?Sized>(conn: &mut C) -> QueryResult<Vec<String>> {
    names(conn, "SELECT name FROM app_rows ORDER BY name")
}

/// Of a query for the column `name`.
pub fn names<C: EventConnection + ?Sized>(conn: &mut C, sql: &str) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let rows: Vec<Row> = on_any_database!(conn, conn => diesel::sql_query(sql).load(conn))?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}
