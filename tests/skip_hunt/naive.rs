use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_event_store::EventConnection;
use test_support::witness::Entry;

use super::follower::Follower;

/// The negative control: it follows the log as most event stores do, by the highest position it has seen.
pub struct Naive<C> {
    conn: C,
    last: i64,
    seen: usize,
}

impl<C> Naive<C> {
    pub fn new(conn: C) -> Self {
        Self { conn, last: 0, seen: 0 }
    }
}

impl<C: EventConnection + Send> Follower for Naive<C> {
    fn read(&mut self) -> test_support::Result<usize> {
        let positions = page(&mut self.conn, self.last, 100)?;
        self.seen += positions.len();
        self.last = positions.last().copied().unwrap_or(self.last);
        Ok(positions.len())
    }

    fn scanned_to(&self) -> i64 {
        self.last
    }

    fn missed(&mut self, committed: &[Entry]) -> usize {
        committed.len() - std::mem::take(&mut self.seen)
    }
}

/// The query that most event stores follow their log with.
fn page<C: EventConnection + ?Sized>(conn: &mut C, after: i64, limit: i64) -> QueryResult<Vec<i64>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        global_position: i64,
    }
    let sql = format!(
        "SELECT global_position FROM events WHERE global_position > {after} ORDER BY global_position LIMIT {limit}"
    );
    let rows: Vec<Row> = test_support::on_any_database!(conn, conn => diesel::sql_query(sql).load(conn))?;
    Ok(rows.into_iter().map(|row| row.global_position).collect())
}
