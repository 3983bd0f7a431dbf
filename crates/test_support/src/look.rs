//! What an idle runner asks its database for, again and again.

use std::sync::{Arc, Mutex, PoisonError};

use diesel::Connection;
use diesel::connection::InstrumentationEvent;
use diesel_event_store::projection::{Projection, Runner};

use crate::{Result, TestDatabase, eventually, execute};

/// Its statement about the partitions of a projection, about its workers and about what is parked. A value is
/// `?` in it, on PostgreSQL `$1` and so on: three times the name of the projection, `nothing`, and its
/// version, 1.
pub fn look_of_a_runner<D: TestDatabase>(db: &Arc<D>) -> Result<String> {
    let seen = Arc::new(Mutex::new(None));
    let (db, noted) = (Arc::clone(db), Arc::clone(&seen));
    let connect = move || -> Result<D::Conn> {
        let (mut conn, noted) = (db.connect()?, Arc::clone(&noted));
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| note(&noted, &event));
        Ok(conn)
    };
    let nothing = Projection::new("nothing", 1, |_: &mut D::Conn, _| Ok(()));
    let running = Runner::new(connect).projection(nothing).start()?;
    let look = || seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    eventually("the runner has looked", || Ok(look().is_some()))?;
    running.stop()?;
    Ok(look().unwrap_or_default())
}

fn note(noted: &Mutex<Option<String>>, event: &InstrumentationEvent<'_>) {
    let InstrumentationEvent::StartQuery { query, .. } = event else { return };
    let query = query.to_string();
    // diesel shows the values behind the statement.
    let sql = query.split(" -- binds:").next().unwrap_or_default();
    if ["projection_workers", "parked_events"].iter().all(|table| sql.contains(table)) {
        *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(sql.to_owned());
    }
}

/// Many events that the projection `nothing` has parked, none of which an operator has asked anything of.
pub fn park_many<C: diesel_event_store::EventConnection>(conn: &mut C) -> Result {
    for thousand in 0..2 {
        let rows: Vec<String> = (0..1000).map(|nth| parked(thousand * 1000 + nth)).collect();
        execute(
            conn,
            &format!(
                "INSERT INTO parked_events (projection_name, projection_version, global_position, event_id, \
                 aggregate_type, aggregate_id, reason, error, attempts, parked_at) VALUES {}",
                rows.join(", ")
            ),
        )?;
    }
    Ok(())
}

fn parked(position: i64) -> String {
    format!(
        "('nothing', 1, {position}, '018f0000-0000-7000-8000-{position:012}', 'Order', '{position}', 'failed', \
         'no', 1, '2026-01-01 00:00:00')"
    )
}
