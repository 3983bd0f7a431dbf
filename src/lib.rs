#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(feature = "sqlite"))]
compile_error!("diesel_event_store needs a database: enable the feature `sqlite`");

mod append;
mod backend;
mod checkpoint;
mod connection;
mod direction;
mod error;
mod event;
mod expected_version;
mod invalid;
mod iter;
mod json;
mod log;
mod migrations;
mod position;
pub mod schema;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod store;
mod stream;
mod stream_id;
mod timestamp;

pub use append::Appended;
pub use checkpoint::Checkpoint;
pub use connection::{ConnectionRef, EventConnection};
pub use error::{
    AppendError, CheckpointError, DatabaseError, DatabaseErrorKind, DecodeError, Error, MigrationError,
    ReadError,
};
pub use event::{NewEvent, RecordedEvent};
pub use expected_version::{Conflict, ExpectedVersion};
pub use invalid::{InvalidInput, MAX_JSON_DEPTH, MAX_NAME_LENGTH, Problem};
pub use iter::EventIter;
pub use log::{LogQuery, LogSlice};
pub use migrations::run_pending_migrations;
pub use position::Position;
pub use store::{DEFAULT_MAX_JSON_BYTES, EventStore};
pub use stream::{StreamQuery, StreamSlice};
pub use stream_id::StreamId;

/// The crates whose types are in this crate's signatures.
pub use {chrono, uuid};
