//! What is promised, a behaviour a file.

pub mod append;
pub mod append_only;
pub mod bad_input;
pub mod checkpoints;
pub mod concurrency;
pub mod expected_version;
pub mod fidelity;
pub mod migrations;
pub mod missing_migrations;
pub mod model;
pub mod projections;
pub mod properties;
pub mod read_event;
pub mod read_log;
pub mod read_stream;
pub mod transactions;
pub mod version;
