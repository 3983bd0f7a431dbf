//! What readers and appends meet on a subscriber of logical replication.

use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_event_store::{DatabaseErrorKind, Error, EventStore, Position, run_pending_migrations};
use test_support::private_server::PrivateServer;
use test_support::witness::{Tail, append_one, is_not_published, kind};
use test_support::{self, count};

const STORE: EventStore = EventStore::new();

/// Two databases of a server, of which one gets the other's events and `event_log`.
struct Pair {
    server: PrivateServer,
}

impl Pair {
    fn start() -> test_support::Result<Self> {
        let pair = Self { server: PrivateServer::start("postgres", &["-c", "wal_level=logical"])? };
        let mut admin = PgConnection::establish(pair.server.url())?;
        for name in ["publisher", "subscriber"] {
            admin.batch_execute(&format!("CREATE DATABASE {name}"))?;
            run_pending_migrations(&mut pair.connect(name)?)?;
        }
        Ok(pair)
    }

    fn url(&self, name: &str) -> String {
        let (server, _) = self.server.url().rsplit_once('/').expect("it ends with a database");
        format!("{server}/{name}")
    }

    fn connect(&self, name: &str) -> test_support::Result<PgConnection> {
        Ok(PgConnection::establish(&self.url(name))?)
    }

    /// In one server, the slot must not be created together with the subscription, which would wait for itself.
    fn subscribe(&self, name: &str, tables: &str) -> test_support::Result {
        let mut publisher = self.connect("publisher")?;
        publisher.batch_execute(&format!("CREATE PUBLICATION {name} FOR TABLE {tables}"))?;
        publisher
            .batch_execute(&format!("SELECT pg_create_logical_replication_slot('{name}', 'pgoutput')"))?;
        let url = self.url("publisher");
        self.connect("subscriber")?.batch_execute(&format!(
            "CREATE SUBSCRIPTION {name} CONNECTION '{url}' PUBLICATION {name} WITH (create_slot = false)"
        ))?;
        Ok(())
    }
}

fn wait_until(conn: &mut PgConnection, condition: &str) -> test_support::Result {
    while count(conn, &format!("(SELECT WHERE {condition}) AS found"))? == 0 {
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn wait_until_ready(conn: &mut PgConnection, table: &str) -> test_support::Result {
    let ready = format!("pg_subscription_rel WHERE srrelid = '{table}'::regclass AND srsubstate = 'r'");
    wait_until(conn, &format!("EXISTS (SELECT FROM {ready})"))
}

fn assert_not_published(subscriber: &mut PgConnection) {
    let refused = STORE.read_forward(subscriber, Position::START, 10).expect_err("it cannot be read");
    assert!(is_not_published(&refused.into()));
}

/// Each table is copied by itself, so the position can be there before the events up to it.
#[test]
fn the_log_is_not_read_before_the_events_are_in_step() -> test_support::Result {
    let pair = Pair::start()?;
    let (mut publisher, mut subscriber) = (pair.connect("publisher")?, pair.connect("subscriber")?);
    append_one(&mut publisher, "Copied")?;
    STORE.publish_position(&mut publisher)?;
    subscriber.batch_execute(
        "DELETE FROM event_log; \
         CREATE FUNCTION wait() RETURNS TRIGGER LANGUAGE plpgsql AS \
         $$ BEGIN PERFORM pg_advisory_lock_shared(1); RETURN NEW; END $$; \
         CREATE TRIGGER wait BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION wait(); \
         ALTER TABLE events ENABLE REPLICA TRIGGER wait",
    )?;
    let mut holding = pair.connect("subscriber")?;
    holding.batch_execute("SELECT pg_advisory_lock(1)")?;
    pair.subscribe("whole", "event_log, events")?;
    wait_until_ready(&mut subscriber, "event_log")?;
    wait_until(&mut subscriber, "EXISTS (SELECT FROM event_log WHERE published_position = 1)")?;
    assert_not_published(&mut subscriber);

    holding.batch_execute("SELECT pg_advisory_unlock(1)")?;
    wait_until_ready(&mut subscriber, "events")?;
    let mut reader = Tail::new(subscriber);
    assert_eq!(reader.news()?, ["Copied"]);
    append_one(&mut publisher, "Followed")?;
    STORE.publish_position(&mut publisher)?;
    wait_until(&mut reader.conn, "EXISTS (SELECT FROM event_log WHERE published_position = 2)")?;
    assert_eq!(reader.news()?, ["Followed"]);
    Ok(())
}

/// Two subscriptions do not wait for each other.
#[test]
fn the_log_is_not_read_where_its_position_comes_by_another_subscription() -> test_support::Result {
    let pair = Pair::start()?;
    let (mut publisher, mut subscriber) = (pair.connect("publisher")?, pair.connect("subscriber")?);
    append_one(&mut publisher, "There")?;
    STORE.publish_position(&mut publisher)?;
    subscriber.batch_execute("DELETE FROM event_log")?;
    for (name, table) in [("ofevents", "events"), ("oflog", "event_log")] {
        pair.subscribe(name, table)?;
        wait_until_ready(&mut subscriber, table)?;
    }
    assert_not_published(&mut subscriber);
    Ok(())
}

/// Its positions would collide with those that come, and replication would end.
#[test]
fn nothing_is_appended_before_the_subscription_is_dropped() -> test_support::Result {
    let pair = Pair::start()?;
    let (mut publisher, mut subscriber) = (pair.connect("publisher")?, pair.connect("subscriber")?);
    append_one(&mut publisher, "There")?;
    STORE.publish_position(&mut publisher)?;
    // From then on PostgreSQL keeps the plan of an append.
    for nth in 0..7 {
        append_one(&mut subscriber, &format!("{nth}"))?;
    }
    pair.connect("subscriber")?.batch_execute(
        "SET session_replication_role = replica; DELETE FROM events; DELETE FROM aggregate_heads; \
         DELETE FROM event_log",
    )?;
    pair.subscribe("whole", "events, aggregate_heads, event_log")?;
    for table in ["events", "aggregate_heads", "event_log"] {
        wait_until_ready(&mut subscriber, table)?;
    }
    let refused: Error = append_one(&mut subscriber, "Refused").expect_err("it would collide");
    assert_eq!(kind(&refused), Some(DatabaseErrorKind::OtherServer), "{refused}");
    assert!(refused.to_string().contains("DROP SUBSCRIPTION whole"), "{refused}");
    assert_eq!(count(&mut subscriber, "events")?, 1);

    subscriber.batch_execute(
        "ALTER SUBSCRIPTION whole DISABLE; ALTER SUBSCRIPTION whole SET (slot_name = NONE); \
         DROP SUBSCRIPTION whole",
    )?;
    let mut conn = pair.connect("subscriber")?;
    STORE.repair(&mut conn)?;
    append_one(&mut conn, "Here")?;
    assert_eq!(Tail::new(conn).news()?, ["There", "Here"]);
    Ok(())
}
