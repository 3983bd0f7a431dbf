use std::fmt::Debug;

use diesel_event_store::projection::{OnFailure, Projection};
use diesel_event_store::{
    AppendBatch, EventConnection, EventStore, ExpectedVersion, LogQuery, NewEvent, Position, RecordedEvent,
    StreamId,
};
use test_support::{Result, counted, user};

const STORE: EventStore = EventStore::new();

/// A log with everything that a file has to keep: what is hard to write in a line, two tenants, a key, a
/// projection that has parked events, one that has not come to the end, and a checkpoint of the application's
/// own.
pub fn fill<C: EventConnection + diesel::Connection + 'static>(conn: &mut C) -> Result {
    for text in nasty_texts() {
        let event = NewEvent::from_json("Nasty \"type\" \\ 'é' 😀", text)?
            .metadata_json(text)?
            .trace_id("t\\r")
            .correlation_id("request '4711' \\n")
            .causation_id("\u{2028}");
        STORE.append(conn, &user("na'sty \\ \"name\" 😀")?, ExpectedVersion::Any, &[event])?;
    }
    STORE.append_batch(conn, &request()?)?;
    STORE.append(conn, &user("alice")?, ExpectedVersion::NoStream, &counted(5)?)?;
    Projection::new("fails on the third", 2, |_: &mut C, event: &RecordedEvent| {
        if event.payload_json() == "3" { Err(std::io::Error::other("three").into()) } else { Ok(()) }
    })
    .on_failure(OnFailure::Park)
    .catch_up(conn)?;
    STORE.append(conn, &user("alice")?, ExpectedVersion::Exact(5), &counted(4)?)?;
    STORE.save_checkpoint(conn, "own", Position::new(3)?)?;
    Ok(())
}

/// With an idempotency key.
pub fn request() -> Result<AppendBatch> {
    let tenant = user("alice")?.in_tenant("acme")?;
    let batch = AppendBatch::new().append(&tenant, ExpectedVersion::Any, counted(3)?);
    Ok(batch.idempotency_key("re'quest \\ \"4711\" 😀"))
}

fn nasty_texts() -> [&'static str; 14] {
    [
        "null",
        "-0",
        "1e400",
        "123456789012345678901234567890",
        r#""\u0000 a\u0000b""#,
        r#""\ud800""#,
        r#""\u00e9 \/ / \" \\ \b\f\n\r\t""#,
        "\"é e\u{301} \u{7f} \u{2028} \u{feff} \u{10ffff}\"",
        r#"{"a":1,"a":2}"#,
        r#"{ "b" : [ 1 ,2 ] , "a":3}"#,
        " \t\r\n{} \t\r\n",
        "[1,\n2]",
        r#"{"check":"00000000"}"#,
        r#""C:\\new 'table' $1 %s ?""#,
    ]
}

/// Everything that an application sees of a store.
pub fn content<C: EventConnection + ?Sized>(conn: &mut C) -> Result<impl Debug + PartialEq + use<C>> {
    let log = STORE.read_log(conn, &LogQuery::after(Position::START), 1_000)?.into_events();
    let streams = [user("alice")?, user("alice")?.in_tenant("acme")?, StreamId::new("User", "nobody")?];
    let versions =
        streams.iter().map(|stream| Ok(STORE.version(conn, stream)?)).collect::<Result<Vec<_>>>()?;
    let checkpoints = STORE.checkpoints(conn)?;
    let parked = diesel_event_store::projection::parked(conn, ("fails on the third", 2))?;
    Ok((STORE.log_id(conn)?, log, versions, checkpoints, parked))
}
