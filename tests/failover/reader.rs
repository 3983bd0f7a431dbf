use std::sync::atomic::{AtomicI64, Ordering};

use diesel::MysqlConnection;
use diesel_event_store::{Error, EventStore, LogQuery, Position};
use test_support::witness::{Entry, is_lost_connection, is_not_published};
use test_support::{Result, advances_until};

use super::cluster::Cluster;

const PAGE: usize = 50;

/// Reads at one node, and when that is killed at the next, from where it was.
#[derive(Default)]
pub struct Reader {
    pub seen: Vec<Entry>,
    scanned_to: Position,
}

impl Reader {
    /// Until the end, which is known when the writers are done.
    pub fn follow(mut self, cluster: &Cluster, node: usize, end: &AtomicI64) -> Result<Self> {
        let (mut node, mut conn) = cluster.connect_to_read(node);
        let read = || {
            match self.read(&mut conn) {
                Ok(()) => {}
                Err(error) if is_lost_connection(&error) => (node, conn) = cluster.connect_to_read(node),
                Err(error) if error.is_retryable() || is_not_published(&error) => {}
                Err(error) => return Err(error.into()),
            }
            Ok(self.scanned_to)
        };
        advances_until("the end of the log", read, |reached| reached.get() >= end.load(Ordering::SeqCst))?;
        Ok(self)
    }

    fn read(&mut self, conn: &mut MysqlConnection) -> Result<(), Error> {
        let slice = EventStore::new().read_log(conn, &LogQuery::after(self.scanned_to), PAGE)?;
        self.seen.extend(slice.events().iter().map(Entry::from));
        self.scanned_to = slice.scanned_to();
        Ok(())
    }
}
