use std::time::Duration;

/// How long a lease runs. So long that it never runs out counts as a quarter of all milliseconds, to which the time can be added.
pub(crate) fn millis(lease: Duration) -> i64 {
    i64::try_from(lease.as_millis()).unwrap_or(i64::MAX / 4)
}
