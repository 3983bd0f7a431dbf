//! The read model: what is still to be paid, by order.

use diesel::prelude::*;
use diesel_event_store::projection::Projection;

use crate::order::OrderEvent;
use crate::schema::open_orders;

pub fn projection() -> Projection<SqliteConnection> {
    Projection::typed("open orders", 1, |conn: &mut SqliteConnection, event, recorded| {
        let id = recorded.aggregate_id();
        match event {
            OrderEvent::Placed { customer, cents } => diesel::insert_into(open_orders::table)
                .values((
                    open_orders::id.eq(id),
                    open_orders::customer.eq(customer),
                    open_orders::cents.eq(cents),
                ))
                .execute(conn)?,
            OrderEvent::Paid => diesel::delete(open_orders::table.find(id)).execute(conn)?,
        };
        Ok(())
    })
}

pub fn all(conn: &mut SqliteConnection) -> QueryResult<Vec<(String, String, i64)>> {
    open_orders::table.order(open_orders::id).load(conn)
}
