use bench_support::payload::OrderPlaced;
use bench_support::workload::Append;

/// The work that is compared.
pub trait Store {
    /// Appends in its own transaction. Returns the position of the last event.
    fn append(&mut self, append: &Append, payloads: &[OrderPlaced]) -> i64;

    /// Reads a page of the log and parses its payloads. Returns the position to continue from and the sum of
    /// the orders.
    fn read_page(&mut self, after: i64, limit: usize) -> (i64, u64);

    /// Reads a stream and parses its payloads. Returns its version and the sum of the orders.
    fn read_stream(&mut self, aggregate_id: &str) -> (i64, u64);
}
