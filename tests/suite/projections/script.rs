use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use diesel::result::{DatabaseErrorKind, Error};
use diesel_event_store::projection::{HandlerError, Projection};
use diesel_event_store::{EventConnection, RecordedEvent};
use test_support::Result;

use super::application::{NAME, insert, name_of};

/// What goes wrong with an event, after its row was written.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    Fails,
    FailsOnce,
    Panics,
    IsUndecodable,
    IsUnknown,
    /// The database ends the first attempts for somebody else's sake.
    Deadlocks {
        times: u32,
    },
}

/// A handler that writes the read model, fails where it is told to, and remembers what it was given.
#[derive(Clone, Default)]
pub struct Script(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    faults: BTreeMap<String, Fault>,
    given: Vec<String>,
}

impl Script {
    pub fn with<const N: usize>(faults: [(&str, Fault); N]) -> Self {
        let script = Self::default();
        script.locked(|state| state.faults.extend(faults.map(|(name, fault)| (name.to_owned(), fault))));
        script
    }

    /// The handler works from now on.
    pub fn mend(&self) {
        self.locked(|state| state.faults.clear());
    }

    /// The names of the events that the handler was given since this was asked last, in their order and with
    /// repetitions.
    pub fn given(&self) -> Vec<String> {
        self.locked(|state| std::mem::take(&mut state.given))
    }

    pub fn projection<C: EventConnection>(&self) -> Projection<C> {
        let script = self.clone();
        Projection::new(NAME, 1, move |conn: &mut C, event| script.apply(conn, event))
    }

    pub fn projection_in_batches<C: EventConnection>(&self) -> Projection<C> {
        let script = self.clone();
        Projection::in_batches(NAME, 1, move |conn: &mut C, events| {
            events.iter().try_for_each(|event| script.apply(conn, event))
        })
    }

    fn apply<C: EventConnection>(&self, conn: &mut C, event: &RecordedEvent) -> Result<(), HandlerError> {
        let fault = self.locked(|state| state.next(&name_of(event)));
        insert(conn, event)?;
        match fault {
            None => Ok(()),
            Some(Fault::Fails | Fault::FailsOnce) => {
                Err(HandlerError::failed(format!("{} is too much", name_of(event))))
            }
            Some(Fault::Panics) => panic!("{} is far too much", name_of(event)),
            Some(Fault::IsUndecodable) => Ok(event.payload::<BTreeMap<String, String>>().map(drop)?),
            Some(Fault::IsUnknown) => Err(HandlerError::unknown_event_type(event)),
            Some(Fault::Deadlocks { .. }) => Err(deadlock().into()),
        }
    }

    fn locked<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn next(&mut self, name: &str) -> Option<Fault> {
        self.given.push(name.to_owned());
        let fault = *self.faults.get(name)?;
        let rest = match fault {
            Fault::FailsOnce | Fault::Deadlocks { times: 1 } => None,
            Fault::Deadlocks { times } => Some(Fault::Deadlocks { times: times - 1 }),
            lasting => Some(lasting),
        };
        match rest {
            Some(rest) => self.faults.insert(name.to_owned(), rest),
            None => self.faults.remove(name),
        };
        Some(fault)
    }
}

/// As diesel reports it.
fn deadlock() -> Error {
    Error::DatabaseError(DatabaseErrorKind::SerializationFailure, Box::new("give way".to_owned()))
}
