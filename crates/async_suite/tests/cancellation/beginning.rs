//! On a connection whose application has dropped its own BEGIN: diesel-async does not know whether a
//! transaction is open.

use async_suite::{AsyncMysql, AsyncPostgres, RUNTIME, Result};

use super::application::begin;
use super::database::Database;
use super::dropped::Drops;
use super::given_up::is_given_up;
use super::operation::Run;

#[test]
fn an_append_that_is_acknowledged_is_recorded_postgres() -> Result {
    after_each_dropped_begin::<AsyncPostgres>()
}

#[test]
fn an_append_that_is_acknowledged_is_recorded_mysql() -> Result {
    after_each_dropped_begin::<AsyncMysql>()
}

fn after_each_dropped_begin<D: Database>() -> Result {
    let database = D::migrated()?;
    for round in 0..100 {
        if refused_after_dropped_begins(&database, round)? > 0 {
            return Ok(());
        }
    }
    panic!("no BEGIN was dropped while it was sent");
}

/// None where the answer was there before the BEGIN had to wait for it.
fn refused_after_dropped_begins<D: Database>(database: &D, round: usize) -> Result<usize> {
    let mut witness = database.connect()?;
    let mut refused = 0;
    for drops in Drops::all() {
        let run = Run::new(&format!("{round} {drops:?}"))?;
        let mut conn = database.open()?;
        if RUNTIME.block_on(drops.cut(begin(&mut conn))).transpose()?.is_some() {
            break;
        }
        let appended = RUNTIME.block_on(run.append(&mut conn)).map_err(real::Error::from);
        drop(conn); // with what is open on it
        match appended {
            Ok(()) => assert_eq!(run.versions(&mut witness)?[0], 1, "acknowledged after {drops:?}"),
            Err(error) => {
                assert!(is_given_up(&error), "{drops:?}: {error}");
                refused += 1;
            }
        }
    }
    Ok(refused)
}
