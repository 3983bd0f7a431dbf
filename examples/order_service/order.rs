//! What an order is: its events, its state, what it decides. Nothing here knows a database.

use diesel_event_store::{Aggregate, Decide, Event, Evolve, RecordedEvent, UpcastError};
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Event)]
pub enum OrderEvent {
    #[event(name = "OrderPlaced", version = 2)]
    #[event(upcast(version = 1, json = euros_to_cents))]
    Placed { customer: String, cents: i64 },
    #[event(name = "OrderPaid")]
    Paid,
}

/// The first release had prices in whole euros.
fn euros_to_cents(mut placed: Value, _: &RecordedEvent) -> Result<Value, UpcastError> {
    let euros = placed["euros"].as_i64().ok_or("there are no euros")?;
    placed["cents"] = euros.checked_mul(100).ok_or("there are too many euros")?.into();
    Ok(placed)
}

#[derive(Debug, PartialEq)]
pub enum Order {
    New,
    Placed { cents: i64 },
    Paid,
}

impl Evolve for Order {
    type Event = OrderEvent;
    fn evolve(self, event: OrderEvent) -> Self {
        match event {
            OrderEvent::Placed { cents, .. } => Order::Placed { cents },
            OrderEvent::Paid => Order::Paid,
        }
    }
}

impl Aggregate for Order {
    const TYPE: &'static str = "Order";
    fn initial(_id: &str) -> Self {
        Order::New
    }
}

pub struct Place {
    pub customer: String,
    pub cents: i64,
}

impl Decide<Place> for Order {
    type Error = OrderError;
    fn decide(&self, Place { customer, cents }: &Place) -> Result<Vec<OrderEvent>, OrderError> {
        match self {
            Order::New => Ok(vec![OrderEvent::Placed { customer: customer.clone(), cents: *cents }]),
            _ => Err(OrderError::PlacedAlready),
        }
    }
}

pub struct Pay {
    pub cents: i64,
}

impl Decide<Pay> for Order {
    type Error = OrderError;
    fn decide(&self, pay: &Pay) -> Result<Vec<OrderEvent>, OrderError> {
        match self {
            Order::Placed { cents } if pay.cents == *cents => Ok(vec![OrderEvent::Paid]),
            Order::Placed { cents } => Err(OrderError::Costs(*cents)),
            Order::New | Order::Paid => Err(OrderError::NothingToPay),
        }
    }
}

#[derive(Debug, PartialEq, thiserror::Error)]
pub enum OrderError {
    #[error("it is placed already")]
    PlacedAlready,
    #[error("it costs {0} cents")]
    Costs(i64),
    #[error("there is nothing to pay")]
    NothingToPay,
}
