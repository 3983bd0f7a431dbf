use diesel::result::{DatabaseErrorKind, Error};
use uuid::Uuid;

use super::error::SealError;
use super::links::each_hashed;
use crate::line::chain::Chain;
use crate::model::log_state::LogState;
use crate::model::position::Position;
use crate::model::seal::Seal;
use crate::model::timestamp;
use crate::storage::connection::{EventConnection, HasDatabase};
use crate::storage::error::DatabaseError;
use crate::storage::read::ReadError;

/// Seals a log up to where it is complete: writes a hash over all events into the table `event_seals`, which
/// takes no changes. From then on [`verify`](super::verify()) finds whether any event up to there was
/// changed, removed or put in. Returns the newest seal; that is the last one if there is nothing new, and
/// `None` if the log has no events.
///
/// It goes on from the last seal, so it reads only what is new. Appends do not notice. Call it regularly, and
/// keep [`Seal::chain`] where nobody who can change the database can change it: see [tamper
/// evidence](crate::guide::tamper_evidence). The connection must not be in a transaction.
///
/// Seals stay where they are if the log moves to another database. Seal it anew there: the chain is the same.
///
/// # Errors
///
/// - [`SealError::LogClosed`]: an import or a copy fills the log. One that is frozen can be sealed.
/// - [`SealError::Unreadable`]: the last seal is none, so it was changed by hand.
/// - [`SealError::InTransaction`], [`SealError::Read`], [`SealError::Database`].
///
/// ```
/// use diesel::prelude::*;
/// use diesel_event_store::operate::{seal, verify};
/// use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, StreamId};
///
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// # let order = StreamId::new("Order", 1042)?;
/// # let placed = NewEvent::new("OrderPlaced", &7)?;
/// # EventStore::new().append(&mut conn, &order, ExpectedVersion::Any, &[placed])?;
/// let seal = seal(&mut conn)?.expect("there are events");
/// println!("{} {}", seal.position(), seal.chain()); // and send it to the auditor
/// assert_eq!(verify(&mut conn)?.seals(), 1);
/// # Ok(())
/// # }
/// ```
pub fn seal<C: EventConnection + ?Sized>(conn: &mut C) -> Result<Option<Seal>, SealError> {
    if conn.database().depth()? > 0 {
        return Err(SealError::InTransaction);
    }
    let row = conn.database().log_row()?;
    let log_id = row.log_id;
    if let Some(closed) = row.closed().filter(|closed| closed.state() == LogState::Receiving) {
        return Err(closed.into());
    }
    let last = conn.database().last_seal()?;
    let sealed_to = last.as_ref().map_or(Position::START, |last| last.position);
    let next = go_on(conn, log_id, last)?;
    match next.filter(|next| next.position > sealed_to) {
        Some(next) => write(conn, next).map(Some),
        None => Ok(conn.database().last_seal()?),
    }
}

/// Over everything up to where the log is complete.
fn go_on<C: EventConnection + ?Sized>(
    conn: &mut C,
    log_id: Uuid,
    last: Option<Seal>,
) -> Result<Option<Seal>, SealError> {
    let end = conn.database().last_position().map_err(ReadError::from)?;
    let mut seal = last.unwrap_or_else(|| unsealed(log_id));
    let unreadable = SealError::Unreadable { position: seal.position };
    let mut chain = Chain::read(&seal.chain).ok_or(unreadable)?;
    let sealed_to = seal.position;
    each_hashed(conn, sealed_to, end, |link, hash| -> Result<(), SealError> {
        chain.add_hash(hash);
        seal.position = link.position();
        seal.events += 1;
        Ok(())
    })?;
    (seal.chain, seal.sealed_at) = (chain.text(), timestamp::now());
    Ok((seal.events > 0).then_some(seal))
}

/// Of a log without events.
fn unsealed(log_id: Uuid) -> Seal {
    let chain = Chain::of_log(log_id).text();
    Seal { position: Position::START, events: 0, chain, sealed_at: timestamp::now() }
}

/// Another process may have sealed up to the same position meanwhile.
fn write<C: EventConnection + ?Sized>(conn: &mut C, seal: Seal) -> Result<Seal, SealError> {
    match conn.database().insert_seal(&seal) {
        Ok(()) => Ok(seal),
        Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
            conn.database().last_seal()?.ok_or_else(|| DatabaseError::from(Error::NotFound).into())
        }
        Err(error) => Err(error.into()),
    }
}
