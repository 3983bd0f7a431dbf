//! Rows of the application's own: how many pieces of each article there are.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::connection::{AppConnection, on};

diesel::table! {
    stock (article) {
        article -> Text,
        pieces -> Integer,
    }
}

pub const CREATE: &str =
    "CREATE TABLE IF NOT EXISTS stock (article VARCHAR(255) PRIMARY KEY, pieces INTEGER NOT NULL)";

pub async fn supply(conn: &mut AppConnection, article: &str, pieces: i32) -> QueryResult<()> {
    let row = (stock::article.eq(article), stock::pieces.eq(pieces));
    on!(conn, conn => diesel::insert_into(stock::table).values(row).execute(conn)).map(drop)
}

/// Whether there were as many.
pub async fn take(conn: &mut AppConnection, article: &str, pieces: i32) -> QueryResult<bool> {
    let enough = stock::table.find(article).filter(stock::pieces.ge(pieces));
    let fewer = diesel::update(enough).set(stock::pieces.eq(stock::pieces - pieces));
    Ok(on!(conn, conn => fewer.execute(conn))? == 1)
}

pub async fn left(conn: &mut AppConnection, article: &str) -> QueryResult<Option<i32>> {
    let pieces = stock::table.find(article).select(stock::pieces);
    on!(conn, conn => pieces.first(conn)).optional()
}
