//! What is recorded, whatever the event store says, and what those know who were told that it is.

mod entry;
mod failure;
mod ledger;

pub use entry::{Entry, committed_after};
pub use failure::{is_lost_connection, is_not_published};
pub use ledger::{Ledger, Versions, ids_of, ids_of_new};
