//! An event store for applications that use diesel: events are appended in the transaction your application already has
//! open, on the `&mut` connection it already holds.
//!
//! ```
//! use diesel::prelude::*;
//! use diesel_event_store::{Error, EventStore, ExpectedVersion, NewEvent, StreamId};
//!
//! # fn main() -> Result<(), Error> {
//! let mut conn = SqliteConnection::establish(":memory:").unwrap();
//! diesel_event_store::run_pending_migrations(&mut conn)?;
//!
//! let store = EventStore::new();
//! let alice = StreamId::new("User", "alice")?;
//! conn.immediate_transaction::<_, Error, _>(|conn| {
//!     // … your own rows …
//!     let created = NewEvent::new("UserCreated", &"alice@example.com")?;
//!     store.append(conn, &alice, ExpectedVersion::NoStream, &[created])?;
//!     Ok(())
//! })?;
//!
//! let stream = store.read_stream(&mut conn, &alice, ..)?;
//! assert_eq!(stream.events()[0].payload::<String>()?, "alice@example.com");
//!
//! let log = store.read_forward(&mut conn, diesel_event_store::Position::START, 100)?;
//! assert_eq!(log.events(), stream.events());
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! - **Do things**: [`EventStore`] has every operation; [`run_pending_migrations`] makes the tables.
//! - **Events**: [`NewEvent`] goes in, [`RecordedEvent`] comes out, [`StreamId`] names an aggregate's stream.
//! - **Append**: [`ExpectedVersion`] in, [`Appended`] out, [`Conflict`] when somebody was faster.
//! - **Read**: [`StreamQuery`] and [`StreamSlice`] for one aggregate, [`LogQuery`] and [`LogSlice`] for the whole log, of
//!   which an [`EventFilter`] chooses; [`EventIter`] for what is too large to hold.
//! - **Read models**: [`projection`]; the design is in [`guide::projections`].
//! - **Follow the log yourself**: [`Position`] and [`Checkpoint`].
//! - **Errors**: [`AppendError`], [`ReadError`], [`CheckpointError`], [`MigrationError`], and [`Error`] for all of them.
//! - **Connections**: [`EventConnection`] is what can be lent; [`event_connection!`] for an enum of your own.
//! - **Databases**: a module each, with the feature of its name (`sqlite` has the options of a connection, and the writer
//!   that commits for many); [`schema`] with the tables for diesel's query builder; [`LogOrdering`] for how positions are
//!   given out.
//! - **Deeper pages**: [`guide`].
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `sqlite` | yes | the event store on SQLite 3.35 or newer |
//! | `bundled` | yes | compiles a recent SQLite into the application |
//! | `postgres` | no | the event store on PostgreSQL 13 or newer |
//! | `mysql` | no | the event store on MySQL 8.0.17 or MariaDB 10.6, or newer |
//! | `r2d2` | no | pooled connections, and `sqlite::Options` as a pool customizer |
//! | `metrics` | no | figures for the application's recorder of the crate `metrics` |
//! | `tracing` | no | events for the application's subscriber of the crate `tracing` |
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
compile_error!("diesel_event_store needs a database: enable the feature `sqlite`, `postgres` or `mysql`");

mod error;
#[cfg(any(doc, doctest))]
pub mod guide;
mod model;
mod observe;
pub mod projection;
pub mod schema;
mod storage;
mod store;
#[cfg(feature = "sqlite")]
mod writer;

pub use error::Error;
pub use model::appended::Appended;
pub use model::checkpoint::Checkpoint;
pub use model::decode_error::DecodeError;
pub use model::event::{NewEvent, RecordedEvent};
pub use model::expected_version::{Conflict, ExpectedVersion};
pub use model::filter::EventFilter;
pub use model::invalid::{InvalidInput, MAX_JSON_DEPTH, MAX_NAME_LENGTH, Problem};
pub use model::log::{LogQuery, LogSlice};
pub use model::ordering::LogOrdering;
pub use model::position::Position;
pub use model::stream::{StreamQuery, StreamSlice};
pub use model::stream_id::StreamId;
pub use storage::append::AppendError;
pub use storage::checkpoints::CheckpointError;
pub use storage::connection::{ConnectionRef, EventConnection};
pub use storage::error::DatabaseError;
pub use storage::error_kind::DatabaseErrorKind;
pub use storage::migrations::MigrationError;
#[cfg(feature = "mysql")]
pub use storage::mysql;
#[cfg(feature = "postgres")]
pub use storage::postgres;
pub use storage::read::ReadError;
pub use store::iter::EventIter;
pub use store::migrations::run_pending_migrations;
pub use store::ordering::{log_ordering, set_log_ordering};
pub use store::{DEFAULT_MAX_JSON_BYTES, EventStore};

#[cfg(feature = "sqlite")]
pub mod sqlite {
    //! What is particular to SQLite: the options of a connection, the migrations as diesel knows them, and a [`Writer`] that
    //! commits for many callers at once.
    //!
    //! ```
    //! use diesel::prelude::*;
    //! use diesel_event_store::sqlite::Options;
    //!
    //! # fn main() -> Result<(), diesel_event_store::Error> {
    //! # let folder = tempfile::tempdir().unwrap();
    //! # let path = folder.path().join("shop.db").display().to_string();
    //! let mut conn = SqliteConnection::establish(&path).unwrap();
    //! Options::default().apply(&mut conn)?;
    //! diesel_event_store::run_pending_migrations(&mut conn)?;
    //! # Ok(())
    //! # }
    //! ```
    //!
    //! The SQLite library must be 3.35 or newer; the feature `bundled` brings a recent one.

    pub use crate::storage::sqlite::{JournalMode, MIGRATIONS, Options, Synchronous};
    pub use crate::writer::{QueueFull, Request, Ticket, WriteError, Writer, WriterError, WriterOptions};
}

/// The crates whose types are in this crate's signatures.
pub use {chrono, uuid};

/// So that the README's program is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
