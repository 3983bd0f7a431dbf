//! What an operator does with a log: [`freeze`] and [`unfreeze`] it, and [`verify`] that everything in it
//! agrees. The command `diesel-event-store` does the same: see [the page](crate::guide::command).

mod error;
mod finding;
pub(crate) mod freeze;
pub(crate) mod note;
mod verified;
mod verify;
mod versions;

pub use error::FreezeError;
pub use finding::Finding;
pub use freeze::{freeze, unfreeze};
pub use verified::Verified;
pub use verify::verify;
