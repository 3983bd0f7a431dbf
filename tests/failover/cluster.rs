use std::thread;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel_event_store::EventConnection;
use test_support::private_server::PrivateServer;
use test_support::{LONG, Result, count, execute};

/// Between two looks.
pub const PAUSE: Duration = Duration::from_millis(50);

const RESTARTS: usize = 5;

/// Three nodes, for one test alone.
pub struct Cluster {
    server: PrivateServer,
    urls: Vec<String>,
}

impl Cluster {
    pub fn start(kind: &str) -> Result<Self> {
        let server = PrivateServer::start(kind, &[])?;
        let urls = server.url().split(',').map(str::to_owned).collect();
        Ok(Self { server, urls })
    }

    pub fn nodes(&self) -> usize {
        self.urls.len()
    }

    pub fn kill(&self, node: usize) -> Result {
        self.server.kill_node(node + 1)
    }

    /// A node that joins ends itself when it loses the one that brings it up to date. It is started again
    /// then, as a service manager would.
    pub fn restart(&self, node: usize) -> Result {
        let attempt = |_| self.server.restart_node(node + 1);
        let failed = (1..RESTARTS).map(attempt).take_while(Result::is_err).count();
        if failed == RESTARTS - 1 { attempt(failed) } else { Ok(()) }
    }

    /// To this node, or to the next one that takes writes, as soon as there is one.
    pub fn connect_to_write(&self, first: usize) -> (usize, MysqlConnection) {
        self.connect(first, |conn| {
            Ok(count(conn, "(SELECT 1 FROM dual WHERE @@read_only = 0) AS writable")? == 1)
        })
    }

    /// To this node, or to the next one that can be read, as soon as there is one. It has all tables when it has
    /// the last one.
    pub fn connect_to_read(&self, first: usize) -> (usize, MysqlConnection) {
        self.connect(first, |conn| count(conn, "app_rows").map(|_| true))
    }

    fn connect(
        &self,
        first: usize,
        will_do: impl Fn(&mut MysqlConnection) -> diesel::QueryResult<bool>,
    ) -> (usize, MysqlConnection) {
        let begin = Instant::now();
        for node in (first..).map(|node| node % self.nodes()).take_while(|_| begin.elapsed() < LONG) {
            if let Ok(mut conn) = MysqlConnection::establish(&self.urls[node])
                && will_do(&mut conn).is_ok_and(|will_do| will_do)
            {
                return (node, conn);
            }
            thread::sleep(PAUSE);
        }
        panic!("no node has answered for {LONG:?}")
    }
}

/// Also in a cluster that takes no table without a key.
pub fn create_app_rows<C: EventConnection>(conn: &mut C) -> QueryResult<()> {
    execute(conn, "CREATE TABLE app_rows (name VARCHAR(50) PRIMARY KEY)")
}
