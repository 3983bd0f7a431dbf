//! A database of its own for each test, on all nodes.

use std::env;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::prelude::*;
use diesel_event_store::uuid::Uuid;
use diesel_event_store::{Error, EventStore, Position, RecordedEvent, run_pending_migrations};
use test_support::{Result, execute};

pub const STORE: EventStore = EventStore::new();

pub struct Cluster {
    nodes: Vec<String>,
    name: String,
}

impl Cluster {
    pub fn empty() -> Result<Self> {
        let nodes = env::var("TEST_GALERA_URLS").map_err(|_| {
            "TEST_GALERA_URLS is not set. It names the nodes of a cluster, with commas between; \
             scripts/test starts one, and so does scripts/server"
        })?;
        let nodes = nodes.split(',').map(str::to_owned).collect();
        let cluster = Self { nodes, name: format!("des_test_{}", Uuid::now_v7().simple()) };
        let mut conn = MysqlConnection::establish(&cluster.nodes[0])?;
        execute(&mut conn, &format!("CREATE DATABASE {}", cluster.name))?;
        Ok(cluster)
    }

    pub fn migrated() -> Result<Self> {
        let cluster = Self::empty()?;
        run_pending_migrations(&mut cluster.connect(0)?)?;
        Ok(cluster)
    }

    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// To one of the nodes, which answers when it has applied what the others have committed until then.
    pub fn connect(&self, node: usize) -> Result<MysqlConnection> {
        let mut conn = MysqlConnection::establish(&self.nodes[node])?;
        execute(&mut conn, "SET SESSION wsrep_sync_wait = 15")?;
        // USE itself does not wait.
        execute(&mut conn, "SELECT COUNT(*) FROM information_schema.schemata")?;
        execute(&mut conn, &format!("USE {}", self.name))?;
        Ok(conn)
    }

    /// One to each.
    pub fn connections(&self) -> Result<Vec<MysqlConnection>> {
        (0..self.nodes()).map(|node| self.connect(node)).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let dropped = MysqlConnection::establish(&self.nodes[0]).map_err(|error| error.to_string()).and_then(
            |mut conn| {
                execute(&mut conn, &format!("DROP DATABASE {}", self.name)).map_err(|error| error.to_string())
            },
        );
        if let Err(error) = dropped {
            eprintln!("DROP DATABASE {}: {error}", self.name);
        }
    }
}

/// The outermost transaction again, as long as the cluster asks for it, and how often it did.
pub fn retrying<T, E: Into<Error>>(
    again: &AtomicUsize,
    mut work: impl FnMut() -> Result<T, E>,
) -> Result<T, Error> {
    loop {
        match work().map_err(Into::into) {
            Err(error) if error.is_retryable() => again.fetch_add(1, Ordering::SeqCst),
            outcome => return outcome,
        };
    }
}

/// All positions, in the order of the log.
pub fn positions(conn: &mut MysqlConnection) -> Result<Vec<i64>> {
    let log = STORE.read_forward(conn, Position::START, 10_000)?;
    Ok(log.events().iter().map(|event| event.position().get()).collect())
}

/// Reads on one of the nodes until nobody writes any more, and says what it has seen.
pub fn follow(cluster: &Cluster, node: usize, writing: &AtomicUsize) -> Result<Vec<RecordedEvent>> {
    let (mut conn, mut seen, mut scanned_to) = (cluster.connect(node)?, Vec::new(), Position::START);
    loop {
        let are_done = writing.load(Ordering::SeqCst) == 0;
        let slice = STORE.read_forward(&mut conn, scanned_to, 7)?;
        scanned_to = slice.scanned_to();
        let is_end = slice.is_end();
        seen.extend(slice);
        if are_done && is_end {
            return Ok(seen);
        }
    }
}
