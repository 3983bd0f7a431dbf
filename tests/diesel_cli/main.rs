//! What the real `diesel` command does with the event store's migrations.
//!
//! It is found in the environment variable `DIESEL_CLI`, or as `diesel` on the PATH; a version with SQLite is needed.

mod application;
mod checkout;
mod embedded;
mod project;
