//! What an application does itself on the same connection.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use real::AsyncConnectionRef;

use crate::block_on::block_on;
use crate::connection::EventConnection;

macro_rules! on_any_database {
    ($lender:ident, $conn:ident => $work:expr) => {
        match $lender.lend() {
            AsyncConnectionRef::Sqlite($conn) => block_on($work),
            AsyncConnectionRef::Postgres($conn) => block_on($work),
            AsyncConnectionRef::Mysql($conn) => block_on($work),
            _ => unreachable!("the tests do not know this database"),
        }
    };
}

pub fn execute<C: EventConnection>(conn: &mut C, sql: &str) -> QueryResult<()> {
    on_any_database!(conn, conn => conn.batch_execute(sql))
}

/// How many rows were affected.
pub fn changed<C: EventConnection>(conn: &mut C, sql: &str) -> QueryResult<usize> {
    on_any_database!(conn, conn => RunQueryDsl::execute(diesel::sql_query(sql), conn))
}

pub fn count<C: EventConnection>(conn: &mut C, from: &str) -> QueryResult<i64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        rows_found: i64,
    }
    let sql = format!("SELECT COUNT(*) AS rows_found FROM {from}");
    let row: Row = on_any_database!(conn, conn => RunQueryDsl::get_result(diesel::sql_query(sql), conn))?;
    Ok(row.rows_found)
}

pub fn table_exists<C: EventConnection>(conn: &mut C, table: &str) -> bool {
    count(conn, table).is_ok()
}

pub fn create_app_rows<C: EventConnection>(conn: &mut C) -> QueryResult<()> {
    execute(conn, "CREATE TABLE app_rows (name VARCHAR(50) NOT NULL)")
}

pub fn insert_app_row<C: EventConnection>(conn: &mut C, name: &str) -> QueryResult<()> {
    execute(conn, &format!("INSERT INTO app_rows (name) VALUES ('{name}')"))
}

pub fn app_rows<C: EventConnection>(conn: &mut C) -> QueryResult<Vec<String>> {
    names(conn, "SELECT name FROM app_rows ORDER BY name")
}

pub fn names<C: EventConnection>(conn: &mut C, sql: &str) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let rows: Vec<Row> = on_any_database!(conn, conn => RunQueryDsl::load(diesel::sql_query(sql), conn))?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}
