//! What an operator does with a log: [`freeze`] and [`unfreeze`] it, [`verify`] that everything in it agrees,
//! and [`seal`] it, so that this finds every change. The command `diesel-event-store` does the same: see
//! [the page](crate::guide::command).

mod error;
mod finding;
pub(crate) mod freeze;
pub(crate) mod helpers;
pub(crate) mod links;
pub(crate) mod note;
pub(crate) mod patiently;
mod seal;
mod seals;
mod verified;
mod verify;
mod versions;

pub use crate::model::seal::Seal;
pub use error::{FreezeError, SealError};
pub use finding::Finding;
pub use freeze::{freeze, unfreeze};
pub use seal::seal;
pub use verified::Verified;
pub use verify::verify;
