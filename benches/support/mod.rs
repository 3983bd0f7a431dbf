//! What the benches share: the same work through this crate and through SQLite's own functions, on equally
//! filled databases, and a way to compare them on a busy machine.
#![allow(dead_code)] // each bench uses a part of it

pub mod bench;
pub mod database;
pub mod load;
pub mod ours;
pub mod payload;
pub mod plot_data;
pub mod raw;
pub mod raw_store;
pub mod rounds;
pub mod workload;
