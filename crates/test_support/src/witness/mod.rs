//! What is recorded, whatever the event store says, and what those know who write and read.

mod entry;
mod failure;
mod ledger;
mod step;
mod tail;

pub use entry::{Entry, committed_after};
pub use failure::{is_lost_connection, is_not_published, kind};
pub use ledger::{Ledger, Versions, ids_of, ids_of_new};
pub use step::{append_one, begin, commit, roll_back};
pub use tail::Tail;
