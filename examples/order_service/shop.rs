//! What the shop does, with rows of its own beside the events.

use diesel::prelude::*;
use diesel_event_store::{EventStore, ExecuteError, RunAgain};

use crate::order::{Order, OrderError, Pay, Place};
use crate::schema::stock;

const STORE: EventStore = EventStore::new();

#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    #[error("{0} is sold out")]
    SoldOut(String),
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error(transparent)]
    Store(#[from] diesel_event_store::Error),
    #[error("{0}")]
    Database(#[from] diesel::result::Error),
}

diesel_event_store::from_store_errors!(ShopError);

/// So that the store knows when to run a whole transaction again.
impl RunAgain for ShopError {
    fn may_run_again(&self) -> bool {
        match self {
            ShopError::SoldOut(_) | ShopError::Order(_) => false,
            ShopError::Store(error) => error.may_run_again(),
            ShopError::Database(error) => error.may_run_again(),
        }
    }
}

/// The order and the stock change together, and once for each request. Returns whether the request was
/// repeated.
pub fn place(
    conn: &mut SqliteConnection,
    request: &str,
    order: &str,
    customer: &str,
    article: &str,
) -> Result<bool, ShopError> {
    STORE.transaction(conn, |conn| {
        let cents = stock::table.find(article).select(stock::cents).first(conn)?;
        let place = Place { customer: customer.to_owned(), cents };
        let done = STORE.aggregate::<Order>(order).idempotency_key(request).execute(conn, &place)?;
        if !done.is_repeat {
            take(conn, article)?;
        }
        Ok(done.is_repeat)
    })
}

fn take(conn: &mut SqliteConnection, article: &str) -> Result<(), ShopError> {
    let in_stock = stock::table.find(article).filter(stock::pieces.gt(0));
    match diesel::update(in_stock).set(stock::pieces.eq(stock::pieces - 1)).execute(conn)? {
        0 => Err(ShopError::SoldOut(article.to_owned())),
        _ => Ok(()),
    }
}

/// Without rows of its own, a command needs no transaction.
pub fn pay(
    conn: &mut SqliteConnection,
    request: &str,
    order: &str,
    cents: i64,
) -> Result<bool, ExecuteError<OrderError>> {
    let order = STORE.aggregate::<Order>(order).idempotency_key(request);
    Ok(order.execute(conn, &Pay { cents })?.is_repeat)
}
