//! The same in every isolation level that an application may choose.

use diesel::Connection;
use diesel_event_store::{Error, ExpectedVersion, Position};
use test_support::{Result, counted, user};

use super::database::{Database, STORE, append, log};

#[test]
fn appends_and_reads_work_in_every_isolation_level() -> Result {
    for isolation_level in ["READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] {
        let db = Database::migrated()?;
        let mut conn = db.connect_in(isolation_level)?;
        let alice = user("alice")?;
        append(&mut conn, "alone")?;
        conn.transaction::<_, Error, _>(|conn| {
            STORE.append(conn, &alice, ExpectedVersion::NoStream, &counted(2)?)?;
            let conflict = STORE.append(conn, &alice, ExpectedVersion::Exact(1), &counted(1)?).unwrap_err();
            assert_eq!(conflict.conflict().map(|conflict| conflict.actual), Some(2));
            STORE.append(conn, &alice, ExpectedVersion::Exact(2), &counted(1)?)?;
            STORE.save_checkpoint(conn, "projection", Position::new(1)?)?;
            Ok(())
        })?;
        assert_eq!(log(&mut conn)?, ["alone", "alice", "alice", "alice"], "{isolation_level}");
        assert_eq!(STORE.checkpoint(&mut conn, "projection")?.map(|saved| saved.position().get()), Some(1));
    }
    Ok(())
}
