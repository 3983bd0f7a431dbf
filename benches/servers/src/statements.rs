use std::sync::{Arc, Mutex};

use diesel::connection::{Connection, InstrumentationEvent};

/// The statements that `work` runs on the connection, in order. The bare client library then runs the same
/// ones, so that the two sides cannot drift apart. Panics if there are more or fewer.
pub fn statements_of<C: Connection, const N: usize>(conn: &mut C, work: impl FnOnce(&mut C)) -> [String; N] {
    let statements = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&statements);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            noted.lock().expect("recording does not panic").push(without_binds(&query.to_string()));
        }
    });
    work(conn);
    conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    let statements = std::mem::take(&mut *statements.lock().expect("recording does not panic"));
    statements.try_into().expect("as many statements as the bare client library runs")
}

/// diesel prints the values after the statement.
fn without_binds(query: &str) -> String {
    query.split(" -- binds:").next().unwrap_or_default().to_owned()
}
