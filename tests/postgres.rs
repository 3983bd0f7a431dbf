//! What only PostgreSQL does: its isolation levels, its locks, its standbys, its errors.
#![cfg(feature = "postgres")]

mod private_server;
#[path = "processes/random.rs"]
mod random;
#[macro_use]
#[allow(dead_code, unused_imports)] // The suite needs more of it.
mod support;
#[allow(dead_code, unused_imports)] // Other tests need more of it.
mod witness;
mod postgres {
    mod errors;
    mod isolation;
    mod notifications;
    mod plans;
    mod pooling;
    mod schemas;
    mod standby;
    mod time_zones;
    mod waiting;
}
