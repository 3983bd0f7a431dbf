use diesel_event_store::operate;
use serde_json::json;

use crate::database::Database;
use crate::failure::Result;
use crate::output::{Output, counted, number};

pub fn seal(conn: &mut Database, output: &mut Output) -> Result {
    let Some(seal) = operate::seal(conn)? else {
        return output.answer(&json!({ "events": 0 }), "there are no events to be sealed");
    };
    let object = json!({
        "position": seal.position().get(), "events": seal.events(), "chain": seal.chain(),
        "sealed_at": seal.sealed_at().format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
    });
    let (events, end) = (counted(seal.events(), "event"), number(seal.position().get()));
    output.answer(&object, format!("{events} sealed, to position {end}\nchain {}", seal.chain()))
}
