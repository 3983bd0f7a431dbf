//! Deeper pages, for reading: they hold no code of the crate, but all their examples are tested.

#[doc = include_str!("../docs/guarantees.md")]
pub mod guarantees {}

#[doc = include_str!("../docs/databases.md")]
pub mod databases {}

#[cfg(feature = "sqlite")]
#[doc = include_str!("../docs/writer.md")]
pub mod writer {}

#[doc = include_str!("../docs/performance.md")]
pub mod performance {}

#[cfg(feature = "sqlite")]
#[doc = include_str!("../docs/operations.md")]
pub mod operations {}
