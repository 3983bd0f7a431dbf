//! What the benches share: the same work through `diesel_event_store` and through SQLite's own functions, on
//! equally filled databases, and a way to compare them on a busy machine.

#[cfg(feature = "awaited")]
pub mod awaited_store;
pub mod bench;
pub mod caller;
#[cfg(feature = "sqlite")]
pub mod database;
#[cfg(feature = "store")]
pub mod events;
pub mod length;
pub mod load;
pub mod memory;
#[cfg(feature = "store")]
pub mod order;
#[cfg(feature = "sqlite")]
pub mod ours;
pub mod payload;
pub mod plot_data;
#[cfg(feature = "sqlite")]
pub mod raw;
#[cfg(feature = "sqlite")]
pub mod raw_store;
pub mod rounds;
#[cfg(feature = "store")]
pub mod shared_rows;
pub mod side;
#[cfg(feature = "awaited")]
pub mod tasks;
pub mod workload;
