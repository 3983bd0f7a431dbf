//! What an order is: its events, its state, what it decides. Nothing here knows a database or HTTP.

use std::collections::BTreeMap;

use diesel_event_store::{Aggregate, Decide, Event, Evolve};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Event)]
pub enum OrderEvent {
    #[event(name = "OrderPlaced")]
    Placed { customer: String },
    #[event(name = "OrderLineAdded")]
    LineAdded { article: String, pieces: i32 },
    #[event(name = "OrderPaid")]
    Paid,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Order {
    pub customer: Option<String>,
    pub lines: BTreeMap<String, i32>,
    pub is_paid: bool,
}

impl Evolve for Order {
    type Event = OrderEvent;

    fn evolve(mut self, event: OrderEvent) -> Self {
        match event {
            OrderEvent::Placed { customer } => self.customer = Some(customer),
            OrderEvent::LineAdded { article, pieces } => *self.lines.entry(article).or_default() += pieces,
            OrderEvent::Paid => self.is_paid = true,
        }
        self
    }
}

impl Aggregate for Order {
    const TYPE: &'static str = "Order";

    fn initial(_id: &str) -> Self {
        Self::default()
    }
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Rejected {
    #[error("it is placed already")]
    PlacedAlready,
    #[error("there is no such order")]
    NotPlaced,
    #[error("it is paid already")]
    PaidAlready,
    #[error("{0} pieces cannot be ordered")]
    Pieces(i32),
    #[error("a customer has at most {MAX_CUSTOMER} characters")]
    Customer,
}

/// What the read model has room for. What is recorded cannot be refused any more.
pub const MAX_CUSTOMER: usize = 255;

#[derive(Debug, Deserialize)]
pub struct Place {
    pub customer: String,
}

impl Decide<Place> for Order {
    type Error = Rejected;

    fn decide(&self, Place { customer }: &Place) -> Result<Vec<OrderEvent>, Rejected> {
        match self.customer {
            None if customer.chars().count() > MAX_CUSTOMER => Err(Rejected::Customer),
            None => Ok(vec![OrderEvent::Placed { customer: customer.clone() }]),
            Some(_) => Err(Rejected::PlacedAlready),
        }
    }
}

#[derive(Debug, Deserialize)]
pub struct AddLine {
    pub article: String,
    pub pieces: i32,
}

impl Decide<AddLine> for Order {
    type Error = Rejected;

    fn decide(&self, AddLine { article, pieces }: &AddLine) -> Result<Vec<OrderEvent>, Rejected> {
        self.check_open()?;
        let before = self.lines.get(article).copied().unwrap_or_default();
        match before.checked_add(*pieces) {
            Some(_) if *pieces > 0 => {
                Ok(vec![OrderEvent::LineAdded { article: article.clone(), pieces: *pieces }])
            }
            _ => Err(Rejected::Pieces(*pieces)),
        }
    }
}

#[derive(Debug)]
pub struct Pay;

impl Decide<Pay> for Order {
    type Error = Rejected;

    fn decide(&self, _: &Pay) -> Result<Vec<OrderEvent>, Rejected> {
        self.check_open()?;
        Ok(vec![OrderEvent::Paid])
    }
}

impl Order {
    fn check_open(&self) -> Result<(), Rejected> {
        match self {
            Order { customer: None, .. } => Err(Rejected::NotPlaced),
            Order { is_paid: true, .. } => Err(Rejected::PaidAlready),
            _ => Ok(()),
        }
    }
}
