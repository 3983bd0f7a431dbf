//! Your own rows and the events commit or roll back together, and the loser of a race tries again:
//! `cargo run --example same_transaction`

use std::error::Error as StdError;
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_event_store::{Error, EventStore, ExpectedVersion, NewEvent, StreamId, sqlite, write_transaction};

mod schema {
    diesel::table! {
        seats (number) {
            number -> BigInt,
            guest -> Text,
        }
    }
}
use schema::seats;

/// Books the next seat: one event and one row, in one transaction. `taken` is how many seats the guest saw
/// taken.
fn book(conn: &mut SqliteConnection, guest: &str, taken: i64) -> Result<i64, Error> {
    write_transaction(conn, |conn| {
        let booked = NewEvent::new("SeatBooked", &guest)?;
        let seat =
            EventStore::new().append(conn, &tonight()?, ExpectedVersion::Exact(taken), &[booked])?.version();
        diesel::insert_into(seats::table)
            .values((seats::number.eq(seat), seats::guest.eq(guest)))
            .execute(conn)?;
        Ok(seat)
    })
}

/// Looks, decides, books, and starts over if another guest was faster. Returns the seat and the number of
/// races lost.
fn book_in_a_crowd(path: &Path, guest: &str, all_have_looked: &Barrier) -> Result<(i64, usize), Error> {
    let mut conn = open(path);
    let mut taken = EventStore::new().version(&mut conn, &tonight()?)?;
    all_have_looked.wait();
    let mut races_lost = 0;
    loop {
        match book(&mut conn, guest, taken) {
            Ok(seat) => return Ok((seat, races_lost)),
            Err(error) if error.conflict().is_some() => {
                println!("{guest} lost the race: {error}");
                races_lost += 1;
                taken = EventStore::new().version(&mut conn, &tonight()?)?;
            }
            Err(error) => return Err(error),
        }
    }
}

fn main() -> Result<(), Box<dyn StdError>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("theatre.db");
    let mut conn = open(&path);
    diesel_event_store::run_pending_migrations(&mut conn)?;
    conn.batch_execute(
        "CREATE TABLE seats (number BIGINT PRIMARY KEY NOT NULL, guest TEXT NOT NULL UNIQUE)",
    )?;

    // They commit together …
    assert_eq!(book(&mut conn, "Alice", 0)?, 1);

    // … and roll back together: the table allows one seat per guest, so the event is not recorded either.
    let refused = book(&mut conn, "Alice", 1).expect_err("she has a seat already");
    println!("Alice cannot have two seats: {refused}");
    assert_eq!(EventStore::new().version(&mut conn, &tonight()?)?, 1);

    // Two guests see the same free seat. One gets it, the other loses the race and gets the next.
    let all_have_looked = Barrier::new(2);
    let (bob, carol) = thread::scope(|scope| {
        let bob = scope.spawn(|| book_in_a_crowd(&path, "Bob", &all_have_looked));
        let carol = scope.spawn(|| book_in_a_crowd(&path, "Carol", &all_have_looked));
        (bob.join().expect("Bob books"), carol.join().expect("Carol books"))
    });
    let mut outcomes = [bob?, carol?];
    outcomes.sort();
    assert_eq!(outcomes, [(2, 0), (3, 1)]);

    // A row for every event, an event for every row.
    let rows: Vec<(i64, String)> = seats::table.order(seats::number).load(&mut conn)?;
    let mut booked = Vec::new();
    for event in EventStore::new().read_stream(&mut conn, &tonight()?, ..)? {
        booked.push((event.version(), event.payload()?));
    }
    assert_eq!(rows, booked);
    println!("✓ {} seats, {} events: {rows:?}", rows.len(), booked.len());
    Ok(())
}

fn tonight() -> Result<StreamId, Error> {
    Ok(StreamId::new("Show", "tonight")?)
}

fn open(path: &Path) -> SqliteConnection {
    let mut conn = SqliteConnection::establish(&path.to_string_lossy()).expect("the file can be opened");
    sqlite::Options::default().apply(&mut conn).expect("the settings can be applied");
    conn
}
