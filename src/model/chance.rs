//! Chance, as far as callers need it that are not to meet again at the same moment.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// A random part of it.
pub(crate) fn up_to(longest: Duration) -> Duration {
    let chance = RandomState::new().hash_one(0) % 1024;
    let chance = u32::try_from(chance).expect("it is below 1024");
    longest.saturating_mul(chance) / 1024
}
