use std::time::Duration;

use crate::operate::FreezeError;
use crate::operate::freeze::unfreeze_if;
use crate::storage::connection::EventConnection;

/// Opens a log again that has moved to a database which is lost, as it was when it moved: what was appended
/// there is in that database alone. Workers get back the partitions that the move took from them. `false` if
/// the log was open.
///
/// Make sure that nobody appends to the other database any more: two logs that are both open have different
/// events from then on, and neither can be copied into the other. As long as the other database is there,
/// [`copy`](super::copy()) the log back, or [`abandon`](super::abandon()) a copy that has not come to its end.
///
/// The connection must not be in a transaction.
///
/// # Errors
///
/// Those of [`unfreeze`](crate::operate::unfreeze()), but for
/// [`FreezeError::HasMoved`].
///
/// ```
/// # use std::time::Duration;
/// # use diesel::prelude::*;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut shop = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut shop)?;
/// # let mut server = SqliteConnection::establish(":memory:")?;
/// use diesel_event_store::operate::{FreezeError, unfreeze};
/// use diesel_event_store::transfer::{CopyOptions, copy, reclaim};
///
/// let patience = Duration::from_secs(30);
/// copy(&mut shop, &mut server, &CopyOptions::to("postgres://db/shop"), |_| true)?;
/// assert!(matches!(unfreeze(&mut shop, patience), Err(FreezeError::HasMoved(_))));
///
/// // The server has burnt down.
/// assert!(reclaim(&mut shop, patience)?);
/// # Ok(())
/// # }
/// ```
pub fn reclaim<C>(conn: &mut C, patience: Duration) -> Result<bool, FreezeError>
where
    C: EventConnection + ?Sized,
{
    unfreeze_if(conn, patience, |_| true)
}
