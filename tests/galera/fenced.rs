//! Why the fenced ordering is not for a cluster: a lock is one node's alone, and each counts positions for
//! itself.

use diesel_event_store::{ExpectedVersion, LogOrdering, Position};

use super::cluster::{Cluster, STORE, positions};
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use test_support::{Result, counted, user};

#[test]
fn a_reader_on_another_node_misses_an_event_that_is_committed_late() -> Result {
    let cluster = Cluster::migrated()?;
    let (mut slow, mut fast) = (cluster.connect(0)?, cluster.connect(1)?);
    STORE.set_log_ordering(&mut slow, LogOrdering::Fenced)?;

    AnsiTransactionManager::begin_transaction(&mut slow)?;
    let late = STORE.append(&mut slow, &user("slow")?, ExpectedVersion::Any, &counted(1)?)?.last_position();
    let mut seen = Position::START;
    // Whatever the steps in which the nodes count, it comes beyond.
    while seen <= late {
        STORE.append(&mut fast, &user("fast")?, ExpectedVersion::Any, &counted(1)?)?;
        seen = STORE.last_position(&mut fast)?;
    }
    AnsiTransactionManager::commit_transaction(&mut slow)?;

    assert!(positions(&mut fast)?.contains(&late.get()), "it is in the log");
    assert!(late < seen, "but whoever goes on after {seen} will never see {late}");
    Ok(())
}
