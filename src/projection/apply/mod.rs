//! Applies events to one partition: handler and checkpoint in one transaction, fenced by the lease's token.
//!
//! From top to bottom: the applier decides what becomes of each event, operators' requests are served, a step
//! is one transaction, and below are the values that a step changes: the lease and the parking lot.
//! Partitions of a worker take turns, where only one can write at a time or after they have collided.

mod applier;
mod calls;
mod in_turn;
mod lease;
mod losses;
mod parking;
mod requests;
mod room;
mod step;
mod stop;
mod transient;
mod turns;

pub(super) use applier::Applier;
pub(super) use calls::{Call, Calls};
pub(super) use stop::Stop;
pub(super) use turns::{Turn, Turns};
