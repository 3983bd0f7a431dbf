//! How events become a state, and how a state decides what happens next. Nothing here knows a connection.

mod aggregate;
pub(crate) mod attempts;
mod decide;
pub(crate) mod decided;
pub(crate) mod envelope;
mod evolve;
mod executed;
mod loaded;
mod snapshots;

pub use aggregate::Aggregate;
pub use attempts::DEFAULT_ATTEMPTS;
pub use decide::Decide;
pub use evolve::Evolve;
pub use executed::Executed;
pub use loaded::Loaded;
pub use snapshots::Snapshots;
