//! On a connection whose application has dropped its own BEGIN: diesel-async does not know whether a
//! transaction is open.

use async_suite::{AsyncPostgres, RUNTIME, Result, TestDatabase};

use super::alone::is_given_up;
use super::application::begin;
use super::database::Database;
use super::dropped::Drops;
use super::operation::Run;

#[test]
fn an_append_that_is_acknowledged_is_recorded_postgres() -> Result {
    let database = AsyncPostgres::migrated()?;
    let mut witness = database.connect()?;
    let mut refused = 0;
    for drops in Drops::all() {
        let run = Run::new(&format!("{drops:?}"))?;
        let mut conn = database.open()?;
        if RUNTIME.block_on(drops.cut(begin(&mut conn))).transpose()?.is_some() {
            break;
        }
        let appended = RUNTIME.block_on(run.append(&mut conn));
        drop(conn); // with what is open on it
        match appended {
            Ok(()) => assert_eq!(run.versions(&mut witness)?[0], 1, "acknowledged after {drops:?}"),
            Err(error) => {
                assert!(is_given_up(&error), "{drops:?}: {error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 0, "no BEGIN was dropped while it was sent");
    Ok(())
}
