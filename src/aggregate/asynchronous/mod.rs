//! Aggregates on a connection that is awaited.

mod aggregate;
mod awaited;
mod verify;
