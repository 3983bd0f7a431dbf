//! Projections on connections of diesel-async's.

pub(super) mod handler;
mod link;
pub(super) mod operate;
pub(super) mod projection;
pub(super) mod runner;
mod tasks;
pub(super) mod typed;
mod unwind;
