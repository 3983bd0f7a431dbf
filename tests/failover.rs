//! Clusters of three nodes, which are killed under load and started again: what was acknowledged is in the
//! log, and readers that go from node to node miss nothing. `KILLS` says how often.
#![cfg(feature = "mysql")]

mod failover {
    pub mod cluster;
    pub mod hunt;
    mod reader;
}

mod galera {
    use super::failover::cluster::Cluster;
    use super::failover::hunt::hunt;

    #[test]
    fn nothing_is_lost_or_missed_when_nodes_are_killed() -> test_support::Result {
        hunt(Cluster::start("galera")?)
    }
}

mod group_replication {
    use super::failover::cluster::Cluster;
    use super::failover::hunt::hunt;

    #[test]
    fn nothing_is_lost_or_missed_when_the_primary_is_killed() -> test_support::Result {
        hunt(Cluster::start("group")?)
    }
}
