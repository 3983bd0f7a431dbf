//! What only PostgreSQL does: its isolation levels, its locks, its standbys, its errors.
#![cfg(feature = "postgres")]

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
