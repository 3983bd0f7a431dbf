use serde_json::json;

use crate::database::Database;
use crate::failure::Result;
use crate::output::Output;

pub fn migrate(conn: &mut Database, output: &mut Output) -> Result {
    let applied = diesel_event_store::run_pending_migrations(conn)?;
    let text = match applied.len() {
        0 => "the tables are up to date".to_owned(),
        _ => format!("applied {}", applied.join(", ")),
    };
    output.answer(&json!({ "applied": applied }), text)
}
