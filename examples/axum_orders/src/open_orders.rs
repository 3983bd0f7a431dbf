//! The read model: who has an order that is not paid.

use std::collections::BTreeMap;
use std::time::Duration;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use diesel_event_store::projection::{AsyncProjection, HandlerError, Projection, async_wait_for};
use diesel_event_store::{Event, Position, RecordedEvent};

use crate::connection::{AppConnection, on};
use crate::error::AppError;
use crate::order::OrderEvent;

diesel::table! {
    open_orders (id) {
        id -> Text,
        customer -> Text,
    }
}

pub const CREATE: &str =
    "CREATE TABLE IF NOT EXISTS open_orders (id VARCHAR(255) PRIMARY KEY, customer VARCHAR(255) NOT NULL)";

const NAME: &str = "open orders";
const VERSION: i32 = 1;

/// How long a client waits for what it has written.
const PATIENCE: Duration = Duration::from_secs(5);

pub fn projection() -> AsyncProjection<AppConnection> {
    Projection::awaited(NAME, VERSION, apply).event_types(["OrderPlaced", "OrderPaid"])
}

async fn apply(conn: &mut AppConnection, recorded: &RecordedEvent) -> Result<(), HandlerError> {
    for event in OrderEvent::decode(recorded)?.into_events() {
        match event {
            OrderEvent::Placed { customer } => open(conn, recorded.aggregate_id(), &customer).await?,
            OrderEvent::Paid => close(conn, recorded.aggregate_id()).await?,
            OrderEvent::LineAdded { .. } => {}
        }
    }
    Ok(())
}

async fn open(conn: &mut AppConnection, id: &str, customer: &str) -> QueryResult<()> {
    let row = (open_orders::id.eq(id), open_orders::customer.eq(customer));
    on!(conn, conn => diesel::insert_into(open_orders::table).values(row).execute(conn)).map(drop)
}

async fn close(conn: &mut AppConnection, id: &str) -> QueryResult<()> {
    on!(conn, conn => diesel::delete(open_orders::table.find(id)).execute(conn)).map(drop)
}

/// With everything up to this position, so that a client reads what it has written.
pub async fn all(
    conn: &mut AppConnection,
    after: Option<Position>,
) -> Result<BTreeMap<String, String>, AppError> {
    if let Some(position) = after {
        async_wait_for(conn, (NAME, VERSION), position, PATIENCE).await?;
    }
    let rows: Vec<(String, String)> = on!(conn, conn => open_orders::table.load(conn))?;
    Ok(rows.into_iter().collect())
}
