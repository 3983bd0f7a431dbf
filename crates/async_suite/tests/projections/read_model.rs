//! A row for each event, in the order in which they were applied.

use std::time::Duration;

use diesel::QueryResult;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use real::projection::{AsyncProjection, HandlerError, Projection};
use real::{
    Appended, AsyncConnectionRef, AsyncEventConnection, ConnectionRef, EventConnection, EventStore,
    ExpectedVersion, Position, RecordedEvent,
};
use support::{Result, counted, execute, names, user};

use super::database::Database;

pub const NAME: &str = "users";

/// With the tables of the store and of the read model.
pub fn application<D: Database>() -> Result<(D, D::Conn)> {
    let database = D::migrated()?;
    let mut conn = database.connect()?;
    let nth = match conn.lend() {
        ConnectionRef::Postgres(_) => "BIGSERIAL PRIMARY KEY",
        ConnectionRef::Mysql(_) => "BIGINT AUTO_INCREMENT PRIMARY KEY",
        _ => "INTEGER PRIMARY KEY AUTOINCREMENT",
    };
    execute(&mut conn, &format!("CREATE TABLE applied (nth {nth}, name VARCHAR(300) NOT NULL)"))?;
    Ok((database, conn))
}

pub fn append<C: EventConnection>(conn: &mut C, aggregate_id: &str, events: i64) -> Result<Appended> {
    let stream = user(aggregate_id)?;
    Ok(EventStore::new().append(conn, &stream, ExpectedVersion::Any, &counted(events)?)?)
}

pub fn applied<C: EventConnection>(conn: &mut C) -> QueryResult<Vec<String>> {
    names(conn, "SELECT name FROM applied ORDER BY nth")
}

/// What an event is called: its aggregate and its version, such as `alice 1`.
pub fn name_of(event: &RecordedEvent) -> String {
    format!("{} {}", event.stream().aggregate_id(), event.version())
}

pub async fn run<C: AsyncEventConnection>(conn: &mut C, sql: &str) -> QueryResult<usize> {
    let query = diesel::sql_query(sql);
    match conn.lend() {
        AsyncConnectionRef::Sqlite(conn) => RunQueryDsl::execute(query, conn).await,
        AsyncConnectionRef::Postgres(conn) => RunQueryDsl::execute(query, conn).await,
        AsyncConnectionRef::Mysql(conn) => RunQueryDsl::execute(query, conn).await,
        _ => unreachable!("the tests do not know this database"),
    }
}

/// The handler that writes the read model.
pub async fn insert<C: AsyncEventConnection>(
    conn: &mut C,
    event: &RecordedEvent,
) -> Result<(), HandlerError> {
    run(conn, &format!("INSERT INTO applied (name) VALUES ('{}')", name_of(event))).await?;
    Ok(())
}

pub fn users<D: Database>() -> AsyncProjection<D::Awaited> {
    Projection::awaited(NAME, 1, insert::<D::Awaited>).retries(0, Duration::ZERO)
}

/// The same, on a connection that blocks.
pub fn blocking_users<D: Database>() -> Projection<D::Conn> {
    Projection::new(NAME, 1, |conn: &mut D::Conn, event| {
        execute(conn, &format!("INSERT INTO applied (name) VALUES ('{}')", name_of(event)))?;
        Ok(())
    })
}

/// Where the projection with one partition is.
pub fn reached<C: EventConnection>(conn: &mut C) -> Result<Position> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        value: i64,
    }
    let sql = "SELECT coalesce(max(last_global_position), 0) AS value FROM projection_checkpoints";
    let row: Row = support::on_any_database!(conn, conn => {
        diesel::RunQueryDsl::get_result(diesel::sql_query(sql), conn)
    })?;
    Ok(Position::new(row.value)?)
}

/// The versions of one aggregate, as they were applied.
pub fn versions_of(applied: &[String], aggregate_id: &str) -> Vec<i64> {
    let of_it = applied.iter().filter_map(|name| name.strip_prefix(aggregate_id));
    of_it.map(|version| version.trim().parse().expect("a version")).collect()
}
