//! A small service over HTTP: orders as events, the stock as rows, both in one transaction.
//!
//! `cargo run --package axum_orders` runs it on SQLite; with `DATABASE_URL=postgres://localhost/shop` on
//! PostgreSQL. `tests/http.rs` shows what a client sees.

pub mod app;
pub mod command_headers;
pub mod connection;
pub mod error;
pub mod health;
pub mod http;
pub mod open_orders;
pub mod order;
pub mod orders;

pub mod stock;
