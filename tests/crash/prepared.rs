//! A transaction that has left its session, and outlives the server.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_event_store::run_pending_migrations;
use test_support::private_server::PrivateServer;
use test_support::witness::{Tail, append_one, begin};

#[test]
fn postgres_waits_for_a_prepared_transaction_also_after_a_crash() -> test_support::Result {
    let server = PrivateServer::start("postgres", &[])?;
    let mut conn = PgConnection::establish(server.url())?;
    run_pending_migrations(&mut conn)?;
    append_one(&mut conn, "Before")?;
    let mut reader = Tail::new(PgConnection::establish(server.url())?);

    let mut preparing = PgConnection::establish(server.url())?;
    begin(&mut preparing)?;
    append_one(&mut preparing, "Prepared")?;
    preparing.batch_execute("PREPARE TRANSACTION 'order 1'")?;
    drop(preparing);
    append_one(&mut conn, "After")?;
    assert_eq!(reader.news()?, ["Before"]);

    server.kill()?;
    server.restart()?;
    let mut conn = PgConnection::establish(server.url())?;
    reader.conn = PgConnection::establish(server.url())?;
    append_one(&mut conn, "Much later")?;
    assert!(reader.news()?.is_empty());

    conn.batch_execute("COMMIT PREPARED 'order 1'")?;
    assert_eq!(reader.news()?, ["Prepared", "After", "Much later"]);
    Ok(())
}
