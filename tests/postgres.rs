//! What only PostgreSQL does: its isolation levels, its locks, its standbys, its errors.
#![cfg(feature = "postgres")]

mod postgres {
    mod aborted;
    mod aggregates;
    mod begun_by_sql;
    mod default_isolation;
    mod encodings;
    mod errors;
    mod frozen;
    mod held_back;
    mod imported;
    mod isolation;
    mod lost;
    mod names;
    mod notifications;
    mod partitions;
    mod plans;
    mod pooling;
    mod roles;
    mod schemas;
    mod sequence;
    mod standby;
    mod subscriber;
    mod time_zones;
    mod triggers;
    mod waiting;
}
