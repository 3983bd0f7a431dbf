use std::time::Duration;

use crate::storage::sql::statement::statement;

statement! {
    for every database;
    GiveBack<'a> { owner: &'a str => bind_text },
    "UPDATE projection_checkpoints SET owner = NULL, leased_until = NULL WHERE owner = ?{all}"
}

/// The length of a lease in milliseconds. One that is too long for an `i64` is cut to a length to which the
/// clock can be added.
pub(crate) fn millis(lease: Duration) -> i64 {
    i64::try_from(lease.as_millis()).unwrap_or(i64::MAX / 4)
}
