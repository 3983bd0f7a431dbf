//! By which index MySQL and MariaDB read.

use std::sync::{Arc, Mutex};

use diesel::connection::{Connection, InstrumentationEvent};
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel_event_store::{ExpectedVersion, LogQuery, Position, StreamId};
use test_support::{Result, counted, execute};

use super::database::{Database, STORE};

#[derive(Debug, QueryableByName)]
struct Step {
    #[diesel(sql_type = Nullable<Text>, column_name = "key")]
    index: Option<String>,
    #[diesel(sql_type = Nullable<Text>, column_name = "Extra")]
    extra: Option<String>,
}

/// Also of a tenant that has so few events that the database would rather sort them.
#[test]
fn a_page_of_a_tenant_is_read_in_the_order_of_the_positions() -> Result {
    let db = Database::migrated()?;
    let mut conn = db.connect()?;
    for nth in 0..400 {
        let tenant = if nth % 100 == 0 { "acme" } else { "other" };
        let stream = StreamId::new("Order", nth)?.in_tenant(tenant)?;
        STORE.append(&mut conn, &stream, ExpectedVersion::NoStream, &counted(5)?)?;
    }
    STORE.last_position(&mut conn)?;
    for statistics in ["SELECT 1", "ANALYZE TABLE events"] {
        execute(&mut db.connect()?, statistics)?;
        for from in [LogQuery::after(Position::START), LogQuery::before(Position::END)] {
            let page = last_statement(&mut conn, |conn| {
                assert_eq!(STORE.read_log(conn, &from.clone().tenant("acme"), 10)?.len(), 10);
                Ok(())
            })?;
            let bound = ["2000", "0", "'acme'", "10"]
                .into_iter()
                .fold(page, |sql, value| sql.replacen('?', value, 1));
            let [step] =
                <[Step; 1]>::try_from(diesel::sql_query(format!("EXPLAIN {bound}")).load(&mut conn)?)
                    .map_err(|steps| format!("{steps:?}"))?;
            assert_eq!(step.index.as_deref(), Some("PRIMARY"), "{statistics}: {step:?}");
            assert!(!step.extra.unwrap_or_default().contains("filesort"), "{statistics}");
        }
    }
    Ok(())
}

/// The last statement that `work` has sent, without its values.
fn last_statement(
    conn: &mut MysqlConnection,
    work: impl FnOnce(&mut MysqlConnection) -> Result,
) -> Result<String> {
    let sent = Arc::new(Mutex::new(String::new()));
    let noted = Arc::clone(&sent);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            *noted.lock().unwrap() = query.to_string();
        }
    });
    work(conn)?;
    let sent = sent.lock().unwrap();
    Ok(sent.split(" -- binds:").next().unwrap_or_default().to_owned())
}
