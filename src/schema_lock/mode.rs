use std::env;
use std::ffi::OsString;

use super::error::LockError;

/// What a check does with the lock file. The environment variable `EVENTS_LOCK` says it to
/// [`check`](super::check()).
///
/// ```
/// use diesel_event_store::schema_lock::Mode;
///
/// // `EVENTS_LOCK` is not set:
/// assert_eq!(Mode::of_the_environment()?, Mode::Check);
/// # Ok::<(), diesel_event_store::schema_lock::LockError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Compares, and changes nothing. `EVENTS_LOCK` is not set.
    Check,
    /// Records what is new, and what has changed so that all recorded events can still be read.
    /// `EVENTS_LOCK=update`.
    Update,
    /// Also replaces and removes what was locked and cannot be read any more: no event of it has been
    /// recorded yet. `EVENTS_LOCK=force`.
    Force,
}

impl Mode {
    /// What `EVENTS_LOCK` says.
    ///
    /// # Errors
    ///
    /// [`LockError::Environment`] for another value than `update` and `force`.
    pub fn of_the_environment() -> Result<Self, LockError> {
        env::var_os("EVENTS_LOCK").map_or(Ok(Self::Check), Self::of)
    }

    fn of(value: OsString) -> Result<Self, LockError> {
        match value.to_str() {
            Some("") => Ok(Self::Check),
            Some("update") => Ok(Self::Update),
            Some("force") => Ok(Self::Force),
            _ => Err(LockError::Environment { value }),
        }
    }
}
