//! A row and an event in one transaction of an asynchronous application, without libpq:
//! `DATABASE_URL=postgres://localhost/shop cargo run --features async-postgres --example async_postgres`

use std::env;
use std::error::Error as StdError;

use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use diesel_event_store::{
    AsyncEventStore, Error, ExpectedVersion, NewEvent, StreamId, async_run_pending_migrations,
    async_write_transaction,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn StdError>> {
    let url = env::var("DATABASE_URL")
        .map_err(|_| "DATABASE_URL is not set, for example postgres://localhost/shop")?;
    let mut conn = AsyncPgConnection::establish(&url).await?;
    async_run_pending_migrations(&mut conn).await?;
    let create = "CREATE TABLE IF NOT EXISTS users (name TEXT NOT NULL)";
    diesel::sql_query(create).execute(&mut conn).await?;

    let alice = StreamId::new("User", "alice")?;
    let before = AsyncEventStore::new().version(&mut conn, &alice).await?;
    rename(&mut conn, &alice, "Alice").await?;

    let events = AsyncEventStore::new().read_stream(&mut conn, &alice, ..).await?;
    println!("{alice} is at version {}", events.version());
    assert_eq!(events.version(), before + 1);
    Ok(())
}

/// The row and the event, together or not at all.
async fn rename(conn: &mut AsyncPgConnection, user: &StreamId, name: &str) -> Result<(), Error> {
    async_write_transaction(conn, async |conn| {
        let insert =
            diesel::sql_query("INSERT INTO users VALUES ($1)").bind::<diesel::sql_types::Text, _>(name);
        insert.execute(conn).await?;
        let renamed = NewEvent::new("UserRenamed", &name)?;
        AsyncEventStore::new().append(conn, user, ExpectedVersion::Any, &[renamed]).await?;
        Ok(())
    })
    .await
}
