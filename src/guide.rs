//! Pages to read: they hold no code of the crate, and all their examples are tested.

#[doc = include_str!("../docs/guarantees.md")]
pub mod guarantees {}

#[doc = include_str!("../docs/databases.md")]
pub mod databases {}

#[doc = include_str!("../docs/projections.md")]
pub mod projections {}

#[cfg(feature = "sqlite")]
#[doc = include_str!("../docs/writer.md")]
pub mod writer {}

// The file shows the plots between its paragraphs, which rustdoc cannot do: here they stand at the end.
#[doc = include_str!("../docs/performance.md")]
///
/// # Plots
///
#[doc = include_str!("../docs/plots/throughput.svg")]
///
#[doc = include_str!("../docs/plots/latency-full.svg")]
///
#[doc = include_str!("../docs/plots/latency-normal.svg")]
///
#[doc = include_str!("../docs/plots/growth.svg")]
///
#[doc = include_str!("../docs/plots/file-size.svg")]
pub mod performance {}

#[doc = include_str!("../docs/operations.md")]
pub mod operations {}
