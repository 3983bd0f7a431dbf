//! What cannot be stored is told by the method that takes the connection, before anything is read or written.

use std::collections::HashMap;
use std::convert::Infallible;

use diesel_event_store::{
    Aggregate, AggregateRef, AppendError, Decoded, Event, EventError, EventStore, EventType, Evolve,
    ExecuteError, ExpectedVersion, InvalidInput, LoadError, MAX_NAME_LENGTH, NewEvent, Problem,
    RecordedEvent,
};
use test_support::{Result, TestDatabase, count};

use super::{Account, AccountEvent, account};

tests! {
    what_the_command_carries_is_checked_first,
    content_that_cannot_be_stored_names_its_event,
    an_event_of_another_aggregate_is_refused,
}

fn what_the_command_carries_is_checked_first<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let (long, not_json) = ("x".repeat(MAX_NAME_LENGTH + 1), HashMap::from([([1], 2)]));
    let bad: [(&str, AggregateRef<Account>); 9] = [
        ("aggregate_id", account("")),
        ("aggregate_id", account(&long)),
        ("tenant_id", account("a").in_tenant("")),
        ("correlation_id", account("a").correlation_id(&long)),
        ("causation_id", account("a").causation_id("")),
        ("metadata", account("a").metadata(&not_json)),
        ("attempts", account("a").attempts(0)),
        ("idempotency_key", account("a").idempotency_key("")),
        ("expected version", account("a").expecting(ExpectedVersion::Exact(-1))),
    ];
    for (field, account) in bad {
        let mut is_decided = false;
        let refused = account.clone().update(&mut conn, |_| {
            is_decided = true;
            Ok::<_, Infallible>(vec![AccountEvent::Deposited { cents: 1 }])
        });
        let Err(ExecuteError::Load(LoadError::Invalid(invalid))) = refused else {
            panic!("{field}: {refused:?}")
        };
        assert_eq!((invalid.field(), is_decided), (field, false));
        let Err(LoadError::Invalid(invalid)) = account.load(&mut conn) else { panic!("{field} was loaded") };
        assert_eq!(invalid.field(), field);
    }
    assert_eq!(count(&mut conn, "events")?, 0);
    Ok(())
}

/// As it may be written by hand: it says names that it does not read.
pub(super) struct Careless(pub(super) NewEvent);

impl Event for Careless {
    const TYPES: &'static [EventType] = &[EventType::new("CarelessHappened", 1)];

    fn event_type(&self) -> EventType {
        Self::TYPES[0]
    }

    fn to_new(&self) -> Result<NewEvent, InvalidInput> {
        Ok(self.0.clone())
    }

    fn decode(recorded: &RecordedEvent) -> Result<Decoded<Self>, EventError> {
        match (recorded.event_type(), recorded.event_version()) {
            ("CarelessHappened", 1) => Ok(Decoded::Ignored),
            ("CarelessHappened", _) => Err(EventError::newer_version(recorded, 1)),
            _ => Err(EventError::unknown_type(recorded)),
        }
    }
}

pub(super) struct Nobody;

impl Evolve for Nobody {
    type Event = Careless;

    fn evolve(self, _event: Careless) -> Self {
        self
    }
}

impl Aggregate for Nobody {
    const TYPE: &'static str = "Nobody";

    fn initial(_id: &str) -> Self {
        Self
    }
}

fn record<D: TestDatabase>(conn: &mut D::Conn, second: NewEvent) -> Result<(), ExecuteError<Infallible>> {
    let decided = || Ok(vec![Careless(NewEvent::new("CarelessHappened", &())?), Careless(second.clone())]);
    let decided: Result<Vec<Careless>, InvalidInput> = decided();
    let mut decided = Some(decided?);
    EventStore::new()
        .aggregate::<Nobody>("n")
        .update(conn, |_| Ok(decided.take().unwrap_or_default()))
        .map(drop)
}

fn content_that_cannot_be_stored_names_its_event<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let too_long = NewEvent::new("CarelessHappened", &())?.trace_id("x".repeat(MAX_NAME_LENGTH + 1));
    let refused = record::<D>(&mut conn, too_long);
    let Err(ExecuteError::Append(AppendError::Invalid(invalid))) = refused else { panic!("{refused:?}") };
    assert_eq!((invalid.field(), invalid.event_index()), ("trace_id", Some(1)));
    assert_eq!(count(&mut conn, "events")?, 0);
    Ok(())
}

/// It would be in the stream for ever, and the aggregate could never be loaded again.
fn an_event_of_another_aggregate_is_refused<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut conn = db.connect()?;
    let newer = NewEvent::new("CarelessHappened", &())?.event_version(2);
    for foreign in [NewEvent::new("MoneyDeposited", &())?, newer] {
        let name = foreign.event_type().to_owned();
        let refused = record::<D>(&mut conn, foreign);
        let Err(ExecuteError::Append(AppendError::Invalid(invalid))) = refused else { panic!("{refused:?}") };
        assert_eq!((invalid.field(), invalid.event_index()), ("event", Some(1)));
        assert!(
            matches!(invalid.problem(), Problem::CannotBeReadBack { event_type, .. } if *event_type == name)
        );
    }
    assert_eq!(count(&mut conn, "events")?, 0);
    record::<D>(&mut conn, NewEvent::new("CarelessHappened", &())?)?;
    assert_eq!(count(&mut conn, "events")?, 2);
    Ok(())
}
