use std::error::Error as StdError;
use std::iter::successors;

/// The error and everything that is behind it.
pub(super) fn chain<'e>(
    error: &'e (dyn StdError + 'static),
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    successors(Some(error), |error: &&'e (dyn StdError + 'static)| (*error).source())
}
