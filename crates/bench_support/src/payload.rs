use serde::{Deserialize, Serialize};

pub const NO_TENANT: &str = "";
pub const AGGREGATE_TYPE: &str = "Order";
pub const EVENT_TYPE: &str = "OrderPlaced";

/// An ordinary event of 200 bytes of JSON, so that reading it means parsing numbers, texts and a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderPlaced {
    customer: String,
    email: String,
    city: String,
    lines: Vec<Line>,
    cents: u64,
    express: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Line {
    sku: String,
    quantity: u32,
}

impl OrderPlaced {
    /// The same for every order, so that a reader of all orders knows the sum.
    pub const CENTS: u64 = 12_345;

    pub fn example() -> Self {
        let order = Self {
            customer: "Alice Liddell".to_owned(),
            email: "alice.liddell@example.com".to_owned(),
            city: "Bury St Edmunds".to_owned(),
            lines: vec![
                Line { sku: "tea-ceylon-500g".to_owned(), quantity: 2 },
                Line { sku: "cup-blue".to_owned(), quantity: 12 },
            ],
            cents: Self::CENTS,
            express: true,
        };
        assert_eq!(order.to_json().len(), 200);
        order
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an order is JSON")
    }

    pub fn cents(&self) -> u64 {
        self.cents
    }
}
