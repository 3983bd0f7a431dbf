//! A log that is frozen on one node takes no events on any.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use diesel::prelude::*;
use diesel_event_store::operate::{freeze, unfreeze};
use diesel_event_store::{AppendError, Error, ExpectedVersion};
use test_support::{LONG, Result, at_once, count, counted, eventually, user};

use super::cluster::{Cluster, STORE, retrying};

#[test]
fn nothing_is_committed_afterwards_on_any_node() -> Result {
    let cluster = Cluster::migrated()?;
    let writers = 2 * cluster.nodes();
    let nodes = (0..writers).map(|writer| writer % cluster.nodes()).chain([0]);
    let mut conns = nodes.map(|node| cluster.connect(node)).collect::<Result<Vec<_>>>()?;
    let committed = AtomicI64::new(0);
    let counted_then = at_once(&mut conns, |index, conn| -> Result<i64> {
        if index < writers {
            return append_until_frozen(conn, index, &committed).map(|()| 0);
        }
        eventually("some are appended", || Ok(committed.load(Ordering::Relaxed) > 30))?;
        assert!(freeze(conn, "a test", LONG)?);
        Ok(count(conn, "events")?)
    });
    let counted_then = counted_then.into_iter().collect::<Result<Vec<_>>>()?[writers];
    assert_eq!(counted_then, committed.into_inner());
    for conn in &mut conns {
        assert_eq!(count(conn, "events")?, counted_then);
    }

    assert!(unfreeze(&mut conns[1], LONG)?);
    for conn in &mut conns {
        retrying(&AtomicUsize::new(0), || append(conn, "later"))?;
    }
    Ok(())
}

fn append(conn: &mut MysqlConnection, name: &str) -> Result<(), AppendError> {
    STORE.append(conn, &user(name)?, ExpectedVersion::Any, &counted(1)?).map(drop)
}

fn append_until_frozen(conn: &mut MysqlConnection, index: usize, committed: &AtomicI64) -> Result {
    loop {
        match retrying(&AtomicUsize::new(0), || append(conn, &index.to_string())) {
            Ok(()) => _ = committed.fetch_add(1, Ordering::Relaxed),
            Err(Error::Append(AppendError::LogClosed(_))) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
