use std::sync::Arc;

use diesel::result::QueryResult;
use diesel_event_store::projection::{HandlerError, Projection, Runner};
use diesel_event_store::{
    Appended, ConnectionRef, EventConnection, EventStore, ExpectedVersion, RecordedEvent,
};
use test_support::{Result, TestDatabase, counted, execute, names, user};

/// The name of the projection under test.
pub const NAME: &str = "users";

/// A database with the event store's tables and a read model, which has a row for each event in the order in
/// which they were applied.
pub fn application<D: TestDatabase>() -> Result<(Arc<D>, D::Conn)> {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let nth = counted_by_the_database(&mut conn);
    execute(&mut conn, &format!("CREATE TABLE applied (nth {nth}, name VARCHAR(300) NOT NULL)"))?;
    Ok((Arc::new(db), conn))
}

fn counted_by_the_database(conn: &mut impl EventConnection) -> &'static str {
    match conn.lend() {
        #[cfg(feature = "postgres")]
        ConnectionRef::Postgres(_) => "BIGSERIAL PRIMARY KEY",
        #[cfg(feature = "mysql")]
        ConnectionRef::Mysql(_) => "BIGINT AUTO_INCREMENT PRIMARY KEY",
        #[cfg(feature = "sqlite")]
        ConnectionRef::Sqlite(_) => "INTEGER PRIMARY KEY AUTOINCREMENT",
        _ => unreachable!("the suite does not know this database"),
    }
}

/// What an event is called in the read model: its aggregate and its version, such as `alice 1`.
pub fn name_of(event: &RecordedEvent) -> String {
    format!("{} {}", event.stream().aggregate_id(), event.version())
}

/// The handler that writes the read model.
pub fn insert<C: EventConnection>(conn: &mut C, event: &RecordedEvent) -> Result<(), HandlerError> {
    execute(conn, &format!("INSERT INTO applied (name) VALUES ('{}')", name_of(event)))?;
    Ok(())
}

/// The projection with that handler.
pub fn users<C: EventConnection + 'static>() -> Projection<C> {
    Projection::new(NAME, 1, insert)
}

/// What is in the read model, in the order in which it was applied.
pub fn applied<C: EventConnection>(conn: &mut C) -> QueryResult<Vec<String>> {
    names(conn, "SELECT name FROM applied ORDER BY nth")
}

/// So many more events of a user.
pub fn append<C: EventConnection>(conn: &mut C, aggregate_id: &str, events: i64) -> Result<Appended> {
    let stream = user(aggregate_id)?;
    Ok(EventStore::new().append(conn, &stream, ExpectedVersion::Any, &counted(events)?)?)
}

/// A runner with connections to the database.
pub fn runner<D: TestDatabase>(db: &Arc<D>) -> Runner<D::Conn> {
    let db = Arc::clone(db);
    Runner::new(move || db.connect())
}
