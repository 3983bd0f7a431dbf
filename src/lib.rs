//! An event store for applications that use diesel. It appends events inside the transaction that your
//! application already has open, so your rows and your events are committed together or not at all.
//!
//! ```
//! use diesel::prelude::*;
//! use diesel_event_store::{
//!     Error, EventStore, ExpectedVersion, NewEvent, Position, StreamId, write_transaction,
//! };
//!
//! # fn main() -> Result<(), Error> {
//! let mut conn = SqliteConnection::establish(":memory:").unwrap();
//! diesel_event_store::run_pending_migrations(&mut conn)?;
//!
//! let store = EventStore::new();
//! let alice = StreamId::new("User", "alice")?;
//! write_transaction(&mut conn, |conn| -> Result<(), Error> {
//!     // … your own rows …
//!     let created = NewEvent::new("UserCreated", &"alice@example.com")?;
//!     store.append(conn, &alice, ExpectedVersion::NoStream, &[created])?;
//!     Ok(())
//! })?;
//!
//! let stream = store.read_stream(&mut conn, &alice, ..)?;
//! assert_eq!(stream.events()[0].payload::<String>()?, "alice@example.com");
//!
//! let log = store.read_forward(&mut conn, Position::START, 100)?;
//! assert_eq!(log.events(), stream.events());
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! | to | see |
//! |---|---|
//! | load, decide and append in one call | [`EventStore::aggregate`]: [`Aggregate`], [`Decide`], [`Executed`]; [`Snapshots`] for long histories |
//! | write rows of your own with it | [`EventStore::transaction`]; [`write_transaction`] begins a transaction that writes, on any database |
//! | define typed events, and change them later | [`Event`], and its derive macro with the feature `derive`; [`guide::changing_events`] |
//! | test that without a database | [`testing`] |
//! | keep read models up to date | [`projection`], or a [`Checkpoint`] and a loop of your own |
//! | carry out a request once, however often it comes | [`AggregateRef::idempotency_key`], [`AppendBatch::idempotency_key`] |
//! | keep tenants apart | [`StreamId::in_tenant`]; [`guide::appending`] |
//! | handle errors | [`AppendError`], [`ReadError`], [`CheckpointError`], [`OrderingError`], [`MigrationError`]; [`Error`] is any of them, and [`from_store_errors!`] makes them your own |
//! | create the tables | [`run_pending_migrations`] |
//! | append and read | [`EventStore`] has every operation |
//! | append an event | [`NewEvent`], [`StreamId`], [`ExpectedVersion`]; then [`Appended`] or a [`Conflict`] |
//! | append to several streams, all or none | [`AppendBatch`] |
//! | read a stream | [`StreamQuery`], [`StreamSlice`], [`RecordedEvent`] |
//! | read the log | [`LogQuery`], [`EventFilter`], [`LogSlice`], [`Position`]; [`EventIter`] for more than fits into memory; [`LogStatus`] for what holds it back |
//! | find out whether recorded events can still be read | [`EventStore::check_log`] for a real log, the module `schema_lock` for a test |
//! | use a pool, an enum or a wrapper | [`EventConnection`], [`event_connection!`]; [`guide::pools`] |
//! | await appends, reads, commands and projections | `AsyncEventStore` and `projection::AsyncRunner`, with the features `async-postgres`, `async-mysql` and `async-sqlite` |
//! | join events with your tables | [`schema`]; [`guide::sql`] |
//! | verify, seal or freeze a log | [`operate`] |
//! | set heads and positions after an import or a restore | [`EventStore::repair`] |
//! | move a log to another database, or old streams out of it | the module `transfer` |
//! | use what only one database has | the modules `sqlite`, `postgres` and `mysql`, each with the feature of its name; [`LogOrdering`] |
//! | begin; read about guarantees, operations, performance | [`guide`], [`guide::first_hour`] |
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `sqlite` | yes | the event store on SQLite 3.35 or newer |
//! | `bundled` | yes | compiles a recent SQLite into the application |
//! | `postgres` | no | the event store on PostgreSQL 13 or newer; tested: 15, 17 and 18 |
//! | `mysql` | no | the event store on MySQL 8.0.17 or MariaDB 10.6, or newer; tested: MySQL 9.7, MariaDB 10.11 and 11.8 |
//! | `async-postgres` | no | the event store on diesel-async's `AsyncPgConnection`, without libpq |
//! | `async-mysql` | no | the event store on diesel-async's `AsyncMysqlConnection`, without a client library |
//! | `async-sqlite` | no | the event store on diesel-async's `SyncConnectionWrapper<SqliteConnection>` |
//! | `bb8`, `deadpool`, `mobc` | no | the connections of these pools, with one of the three above |
//! | `derive` | no | `#[derive(Event)]`: typed events, see [`Event`] |
//! | `schema-lock` | no | the module `schema_lock`: a test finds out whether recorded events can still be read |
//! | `transfer` | no | the module `transfer`: copy a log to another database, export and import it, import events from elsewhere, archive old streams |
//! | `r2d2` | no | pooled connections, and `sqlite::Options` as a pool customizer |
//! | `metrics` | no | metrics for the recorder that the application installs for the crate `metrics` |
//! | `tracing` | no | tracing events for the application's subscriber of the crate `tracing` |
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(any(feature = "_blocking", feature = "_async")))]
compile_error!(
    "diesel_event_store needs a database: enable the feature `sqlite`, `postgres`, `mysql`, `async-postgres`, \
     `async-mysql` or `async-sqlite`"
);

mod aggregate;
mod decision;
mod error;
mod event;
#[cfg(any(doc, doctest))]
pub mod guide;
mod line;
mod model;
mod observe;
pub mod operate;
pub mod projection;
pub mod schema;
#[cfg(feature = "schema-lock")]
pub mod schema_lock;
mod storage;
mod store;
pub mod testing;
#[cfg(all(feature = "transfer", feature = "_blocking"))]
pub mod transfer;
#[cfg(feature = "sqlite")]
mod writer;

pub use aggregate::{AggregateRef, ExecuteError, LoadError, SnapshotReport};
pub use decision::{Aggregate, DEFAULT_ATTEMPTS, Decide, Evolve, Executed, Loaded, Snapshots};
/// ```
/// use diesel_event_store::{Decoded, Event, RecordedEvent, UpcastError};
/// use serde::{Deserialize, Serialize};
/// use serde_json::Value;
///
/// #[derive(Debug, PartialEq, Event)]
/// #[event(retired(name = "OrderViewed"))]
/// enum OrderEvent {
///     #[event(name = "OrderPlaced", version = 2)]
///     #[event(upcast(version = 1, json = euros_to_cents))]
///     Placed(OrderPlaced),
///     #[event(name = "OrderLineAdded")]
///     LineAdded {
///         sku: String,
///         #[serde(rename = "qty")]
///         quantity: u32,
///     },
///     #[event(name = "OrderPaid")]
///     Paid,
/// }
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// struct OrderPlaced {
///     cents: i64,
/// }
///
/// fn euros_to_cents(mut old: Value, _: &RecordedEvent) -> Result<Value, UpcastError> {
///     let euros = old["euros"].as_i64().ok_or("no euros")?;
///     old["cents"] = euros.checked_mul(100).ok_or("too many euros")?.into();
///     Ok(old)
/// }
///
/// # use diesel_event_store::{NewEvent, Position, StreamId};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let line = OrderEvent::LineAdded { sku: "ab12".into(), quantity: 3 };
/// assert_eq!(line.to_new()?.payload_json(), r#"{"sku":"ab12","qty":3}"#);
///
/// // Recorded years ago, by version 1:
/// let order = StreamId::new("Order", "o-1")?;
/// let recorded = NewEvent::from_json("OrderPlaced", r#"{"euros":12}"#)?.recorded(&order, 1, Position::new(1)?)?;
/// assert_eq!(OrderEvent::decode(&recorded)?, Decoded::One(OrderEvent::Placed(OrderPlaced { cents: 1200 })));
/// # Ok(())
/// # }
/// ```
///
/// Two flattened enums that claim one name do not compile, and neither does one that claims a name of the enum
/// around it. The message says the name:
///
/// ```compile_fail,E0080
/// use diesel_event_store::Event;
///
/// #[derive(Event)]
/// enum PaymentEvent {
///     #[event(name = "Paid")]
///     Paid,
/// }
///
/// #[derive(Event)]
/// enum InvoiceEvent {
///     #[event(name = "Paid")]
///     Paid { cents: u64 },
/// }
///
/// #[derive(Event)]
/// enum ShopEvent {
///     #[event(flatten)]
///     Payment(PaymentEvent),
///     #[event(flatten)]
///     Invoice(InvoiceEvent),
/// }
/// ```
#[cfg(feature = "derive")]
pub use diesel_event_store_derive::Event;
pub use error::Error;
pub use event::{Decoded, Event, EventError, EventName, EventProblem, EventType, UpcastError};
pub use model::append_batch::AppendBatch;
pub use model::appended::Appended;
pub use model::batch_appended::BatchAppended;
pub use model::checkpoint::Checkpoint;
pub use model::decode_error::DecodeError;
pub use model::duplicate::Duplicate;
pub use model::event::{NewEvent, RecordedEvent};
pub use model::expected_version::{Conflict, ExpectedVersion};
pub use model::filter::EventFilter;
pub use model::invalid::{InvalidInput, MAX_JSON_DEPTH, MAX_NAME_LENGTH, MAX_TENANT_LENGTH, Problem};
pub use model::log::{DEFAULT_SLICE_BYTES, LogQuery, LogSlice};
pub use model::log_state::{LogClosed, LogState};
pub use model::log_status::{LogHolder, LogStatus};
pub use model::ordering::LogOrdering;
pub use model::position::Position;
pub use model::repaired::Repaired;
pub use model::stream::{StreamQuery, StreamSlice};
pub use model::stream_id::StreamId;
pub use storage::append::AppendError;
#[cfg(feature = "_async")]
pub use storage::asynchronous::connection::{AsyncConnectionRef, AsyncEventConnection};
pub use storage::checkpoints::CheckpointError;
pub use storage::connection::{ConnectionRef, EventConnection};
pub use storage::error::DatabaseError;
pub use storage::error_kind::DatabaseErrorKind;
pub use storage::migrations::MigrationError;
#[cfg(any(feature = "mysql", feature = "async-mysql"))]
pub use storage::mysql;
pub use storage::ordering::OrderingError;
#[cfg(any(feature = "postgres", feature = "async-postgres"))]
pub use storage::postgres;
pub use storage::read::ReadError;
#[cfg(feature = "_async")]
pub use store::asynchronous::AsyncEventStore;
#[cfg(feature = "_async")]
pub use store::asynchronous::iterate::EventStream;
#[cfg(feature = "_async")]
pub use store::asynchronous::migrate::async_run_pending_migrations;
#[cfg(feature = "_async")]
pub use store::asynchronous::write_transaction::async_write_transaction;
pub use store::check_log::{ErrorReport, LogReport, TypeReport};
pub use store::iterate::EventIter;
pub use store::migrate::run_pending_migrations;
pub use store::run_again::RunAgain;
pub use store::write_transaction::write_transaction;
pub use store::{DEFAULT_MAX_JSON_BYTES, EventStore};

#[cfg(feature = "sqlite")]
pub mod sqlite {
    //! What only SQLite has: the options of a connection, a [`Writer`] that commits for many callers at once,
    //! and the migrations for diesel's `MigrationHarness`.
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
    //! The SQLite library must be version 3.35 or newer; the feature `bundled` compiles a recent one in.

    pub use crate::storage::sqlite::{JournalMode, MIGRATIONS, Options, OptionsError, Synchronous};
    pub use crate::writer::{QueueFull, Request, Ticket, WriteError, Writer, WriterError, WriterOptions};
}

/// The crates whose types are in this crate's signatures.
pub use {chrono, uuid};

/// The README's program is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// What the derive macro calls.
#[doc(hidden)]
pub mod __private {
    pub use crate::event::event_type::{concat, has_name, is_taker, refuse_shared, shared_name};
    pub use crate::event::reading::{
        Nothing, changed, content, new_event, not_recordable, nothing, step, unreadable_version, value,
    };
    #[cfg(feature = "derive")]
    pub use serde;
}
