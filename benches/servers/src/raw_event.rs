use chrono::{DateTime, Utc};
use uuid::Uuid;

use bench_support::payload::OrderPlaced;

/// A row of the table `events` in owned values, as a program without this crate keeps it.
pub struct RawEvent {
    pub position: i64,
    pub tenant_id: String,
    pub aggregate_type: String,
    pub aggregate_id: String,
    pub version: i64,
    pub event_id: Uuid,
    pub event_type: String,
    pub event_version: i32,
    pub payload: String,
    pub metadata: Option<String>,
    pub trace_id: Option<String>,
    pub correlation_id: Option<String>,
    pub causation_id: Option<String>,
    pub created_at: DateTime<Utc>,
}

pub fn cents(events: &[RawEvent]) -> u64 {
    let orders = events.iter().map(|event| serde_json::from_str::<OrderPlaced>(&event.payload));
    orders.map(|order| order.expect("an order").cents()).sum()
}
