//! The event store's tables for diesel's query builder: one module per database, exactly as `diesel
//! print-schema` writes it.
//!
//! Read them, and join them with the application's own tables. To append, call
//! [`EventStore::append`](crate::EventStore::append): a row that is inserted by hand leaves `aggregate_heads`
//! behind.
//!
//! ```
//! use diesel::prelude::*;
//! use diesel_event_store::schema::sqlite::events;
//!
//! # fn main() -> Result<(), diesel_event_store::Error> {
//! # let mut conn = SqliteConnection::establish(":memory:").unwrap();
//! # diesel_event_store::run_pending_migrations(&mut conn)?;
//! let created: i64 = events::table
//!     .filter(events::event_type.eq("UserCreated"))
//!     .count()
//!     .get_result(&mut conn)?;
//! assert_eq!(created, 0);
//! # Ok(())
//! # }
//! ```

/// The tables on MySQL and MariaDB.
#[cfg(any(feature = "mysql", feature = "async-mysql"))]
#[allow(missing_docs)] // the file is generated
pub mod mysql;
/// The tables on PostgreSQL.
#[cfg(any(feature = "postgres", feature = "async-postgres"))]
#[allow(missing_docs)] // the file is generated
pub mod postgres;
/// The tables on SQLite.
#[cfg(feature = "sqlite")]
#[allow(missing_docs)] // the file is generated
pub mod sqlite;
