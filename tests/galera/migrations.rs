//! Starting on several nodes at once.

use diesel_event_store::{ExpectedVersion, run_pending_migrations};
use test_support::{Result, at_once, counted, user};

use super::cluster::{Cluster, STORE};

/// The lock that lets others wait is one node's alone.
#[test]
fn several_nodes_may_start_at_once() -> Result {
    for _ in 0..5 {
        let cluster = Cluster::empty()?;
        let mut conns = cluster.connections()?;
        let applied = at_once(&mut conns, |_, conn| run_pending_migrations(conn));
        let applied = applied.into_iter().collect::<Result<Vec<_>, _>>()?;
        assert_eq!(applied.concat(), ["00000000000100des"]);
        for conn in &mut conns {
            STORE.append(conn, &user("alice")?, ExpectedVersion::Any, &counted(1)?)?;
        }
        assert_eq!(STORE.version(&mut conns[0], &user("alice")?)?, 3);
    }
    Ok(())
}
