//! Deeper pages, beginning with [the first hour](first_hour). They hold no code of the crate; their examples
//! are tested.

#[doc = include_str!("../docs/first-hour.md")]
pub mod first_hour {}

#[doc = include_str!("../docs/aggregates.md")]
pub mod aggregates {}

#[doc = include_str!("../docs/testing.md")]
pub mod testing {}

#[doc = include_str!("../docs/errors.md")]
pub mod errors {}

#[doc = include_str!("../docs/guarantees.md")]
pub mod guarantees {}

#[doc = include_str!("../docs/appending.md")]
pub mod appending {}

#[doc = include_str!("../docs/migrations.md")]
pub mod migrations {}

#[doc = include_str!("../docs/databases.md")]
pub mod databases {}

#[doc = include_str!("../docs/pools.md")]
pub mod pools {}

#[doc = include_str!("../docs/sql.md")]
pub mod sql {}

#[doc = include_str!("../docs/clusters.md")]
pub mod clusters {}

#[doc = include_str!("../docs/changing-events.md")]
pub mod changing_events {}

#[doc = include_str!("../docs/projections.md")]
pub mod projections {}

#[cfg(all(feature = "async-postgres", feature = "async-sqlite", feature = "deadpool"))]
#[doc = include_str!("../docs/async.md")]
pub mod asynchronous {}

#[doc = include_str!("../docs/upgrading.md")]
pub mod upgrading {}

#[doc = include_str!("../docs/moving.md")]
pub mod moving {}

#[doc = include_str!("../docs/restoring.md")]
pub mod restoring {}

#[doc = include_str!("../docs/tamper-evidence.md")]
pub mod tamper_evidence {}

#[doc = include_str!("../docs/erasure.md")]
pub mod erasure {}

#[doc = include_str!("../docs/archiving.md")]
pub mod archiving {}

#[doc = include_str!("../docs/command.md")]
pub mod command {}

// As a file, the page shows its picture. rustdoc cannot find it.
#[doc = include_str!("../docs/browser.md")]
pub mod browser {}

#[cfg(feature = "sqlite")]
#[doc = include_str!("../docs/writer.md")]
pub mod writer {}

// As a file, the page shows its plots as images. rustdoc cannot find them, so they are appended here.
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

#[doc = include_str!("../docs/alerts.md")]
pub mod alerts {}

#[doc = include_str!("../docs/limits.md")]
pub mod limits {}

#[doc = include_str!("../docs/comparison.md")]
pub mod comparison {}
