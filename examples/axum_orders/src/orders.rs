//! What clients ask for. An order and the stock change together, or neither does.

use diesel_event_store::{AsyncEventStore, Executed, Loaded};

use crate::command_headers::CommandHeaders;
use crate::connection::AppConnection;
use crate::error::AppError;
use crate::order::{AddLine, Order, Pay, Place, Rejected};
use crate::stock;

pub const STORE: AsyncEventStore = AsyncEventStore::new();

/// Without rows of its own, a command needs no transaction.
pub async fn place(
    conn: &mut AppConnection,
    headers: &CommandHeaders,
    id: &str,
    command: &Place,
) -> Result<Executed<Order>, AppError> {
    let order = headers.apply(STORE.aggregate::<Order>(id));
    order.execute(conn, command).await.map_err(|error| headers.refused(error))
}

/// A request that comes again takes no pieces again.
///
/// The closure owns what it needs: the compiler cannot show that the future of one that borrows is `Send`.
pub async fn add_line(
    conn: &mut AppConnection,
    headers: CommandHeaders,
    id: &str,
    line: AddLine,
) -> Result<Executed<Order>, AppError> {
    let order = headers.apply(STORE.aggregate::<Order>(id));
    STORE
        .transaction(conn, async move |conn| {
            let done = order.clone().execute(conn, &line).await.map_err(|error| headers.refused(error))?;
            if !done.is_repeat && !stock::take(conn, &line.article, line.pieces).await? {
                return Err(AppError::SoldOut { article: line.article.clone(), pieces: line.pieces });
            }
            Ok(done)
        })
        .await
}

pub async fn pay(
    conn: &mut AppConnection,
    headers: &CommandHeaders,
    id: &str,
) -> Result<Executed<Order>, AppError> {
    let order = headers.apply(STORE.aggregate::<Order>(id));
    order.execute(conn, &Pay).await.map_err(|error| headers.refused(error))
}

pub async fn look_at(conn: &mut AppConnection, id: &str) -> Result<Loaded<Order>, AppError> {
    let order = STORE.aggregate::<Order>(id).load(conn).await?;
    match order.state.customer {
        Some(_) => Ok(order),
        None => Err(Rejected::NotPlaced.into()),
    }
}
