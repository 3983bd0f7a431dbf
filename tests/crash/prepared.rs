//! A transaction that has left its session, and outlives the server.

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel_event_store::{ExpectedVersion, LogQuery, NewEvent, Position, StreamId, run_pending_migrations};

use super::load::STORE;
use crate::private_server::PrivateServer;
use crate::support;

#[test]
fn a_prepared_transaction_is_waited_for_also_after_a_crash() -> support::Result {
    let server = PrivateServer::start("postgres", &[])?;
    let mut conn = PgConnection::establish(server.url())?;
    run_pending_migrations(&mut conn)?;
    append(&mut conn, "Before")?;

    let mut preparing = PgConnection::establish(server.url())?;
    AnsiTransactionManager::begin_transaction(&mut preparing)?;
    append(&mut preparing, "Prepared")?;
    preparing.batch_execute("PREPARE TRANSACTION 'order 1'")?;
    drop(preparing);
    append(&mut conn, "After")?;
    assert_eq!(log(&mut conn)?, ["Before"]);

    server.kill()?;
    server.restart()?;
    let mut conn = PgConnection::establish(server.url())?;
    append(&mut conn, "Much later")?;
    assert_eq!(log(&mut conn)?, ["Before"]);

    conn.batch_execute("COMMIT PREPARED 'order 1'")?;
    assert_eq!(log(&mut conn)?, ["Before", "Prepared", "After", "Much later"]);
    Ok(())
}

fn append(conn: &mut PgConnection, event_type: &str) -> support::Result {
    let stream = StreamId::new("Prepared", event_type)?;
    STORE.append(conn, &stream, ExpectedVersion::NoStream, &[NewEvent::new(event_type, &())?])?;
    Ok(())
}

fn log(conn: &mut PgConnection) -> support::Result<Vec<String>> {
    let slice = STORE.read_log(conn, &LogQuery::after(Position::START), 10)?;
    Ok(slice.events().iter().map(|event| event.event_type().to_owned()).collect())
}
