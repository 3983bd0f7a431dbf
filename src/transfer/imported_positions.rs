use std::io::{self, BufRead};

use super::error::ImportError;
use super::merge::each_event;
use crate::model::position::Position;
use crate::storage::connection::{EventConnection, HasDatabase};

/// Where the events of a file are in this store, which has [imported](super::import()) them: `visit` gets the
/// position of each event in the file, and its position here, in the order of the file. Whoever has kept
/// positions elsewhere, in a search index or in a warehouse, translates them so. Into a store that was empty
/// events come with their positions.
///
/// It asks for each event by its id, and writes nothing; a file from which nothing was imported can be looked
/// up as well. An error of `visit` ends it. Inside a transaction of the application it reads what that
/// transaction sees.
///
/// # Errors
///
/// - [`ImportError::NotImported`]: the store does not have an event of the file.
/// - [`ImportError::File`], [`ImportError::Read`]: the file is not a whole log, or could not be read.
/// - [`ImportError::Visit`], [`ImportError::Database`].
///
/// ```
/// # use diesel::prelude::*;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut shop = SqliteConnection::establish(":memory:")?;
/// # let mut other = SqliteConnection::establish(":memory:")?;
/// # diesel_event_store::run_pending_migrations(&mut shop)?;
/// # diesel_event_store::run_pending_migrations(&mut other)?;
/// use diesel_event_store::transfer::{export, import, imported_positions};
/// use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId};
///
/// let store = EventStore::new();
/// for (conn, id) in [(&mut shop, "o-1"), (&mut other, "o-2")] {
///     let placed = [NewEvent::new("OrderPlaced", &7)?];
///     store.append(conn, &StreamId::new("Order", id)?, ExpectedVersion::NoStream, &placed)?;
/// }
/// let mut file = Vec::new();
/// export(&mut shop, &mut file)?;
/// import(&mut other, || Ok(&*file))?;
///
/// let mut moved = Vec::new();
/// imported_positions(&mut other, &*file, |from, to| {
///     moved.push((from.get(), to.get()));
///     Ok(())
/// })?;
/// assert_eq!(moved, [(1, 2)]);
/// # Ok(())
/// # }
/// ```
pub fn imported_positions<C, R>(
    conn: &mut C,
    input: R,
    mut visit: impl FnMut(Position, Position) -> io::Result<()>,
) -> Result<(), ImportError>
where
    C: EventConnection + ?Sized,
    R: BufRead,
{
    each_event(input, |line, event| match conn.database().read_event(event.id())? {
        Some(recorded) => visit(event.position, recorded.position).map_err(ImportError::Visit),
        None => Err(ImportError::NotImported { line, event_id: event.id() }),
    })
}
