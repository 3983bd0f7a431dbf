//! Any sequence of appends, conflicts, transactions and rollbacks does what a model of a few lines says.

use std::cell::Cell;

use diesel::Connection;
use diesel::result::Error::RollbackTransaction;
use diesel_event_store::{
    AppendError, EventConnection, EventStore, ExpectedVersion, LogQuery, NewEvent, Position, RecordedEvent,
    StreamId,
};
use proptest::prelude::*;
use test_support::{Result, TestDatabase, count, counted, for_all, versions};

tests! {
    any_sequence_of_steps_does_what_the_model_says,
}

const STREAMS: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    Append { stream: usize, expected: Expected, events: i64, repeats_an_id: bool },
    Transaction { steps: Vec<Step>, commits: bool },
}

/// What an append expects; relative to the actual version, so that it is often right and often nearly so.
#[derive(Debug, Clone, Copy)]
enum Expected {
    Any,
    NoStream,
    StreamExists,
    Exact(i64),
    ActualPlus(i64),
}

impl Expected {
    fn at(self, actual: i64) -> ExpectedVersion {
        match self {
            Expected::Any => ExpectedVersion::Any,
            Expected::NoStream => ExpectedVersion::NoStream,
            Expected::StreamExists => ExpectedVersion::StreamExists,
            Expected::Exact(version) => ExpectedVersion::Exact(version),
            Expected::ActualPlus(more) => ExpectedVersion::Exact((actual + more).max(0)),
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let expected = prop_oneof![
        3 => Just(Expected::Any),
        1 => Just(Expected::NoStream),
        2 => Just(Expected::StreamExists),
        1 => (0..5_i64).prop_map(Expected::Exact),
        4 => (-1..=1_i64).prop_map(Expected::ActualPlus),
    ];
    let append = (0..STREAMS, expected, 1..=4_i64, prop::bool::weighted(0.15)).prop_map(
        |(stream, expected, events, repeats_an_id)| Step::Append { stream, expected, events, repeats_an_id },
    );
    let step = append.prop_recursive(3, 24, 6, |step| {
        (prop::collection::vec(step, 0..6), any::<bool>())
            .prop_map(|(steps, commits)| Step::Transaction { steps, commits })
    });
    prop::collection::vec(step, 1..10)
}

/// The log as it should be: all events in their order, of all streams.
#[derive(Debug, Clone, Default)]
struct Model {
    log: Vec<RecordedEvent>,
}

impl Model {
    fn stream<'a>(&'a self, stream: &'a StreamId) -> impl Iterator<Item = &'a RecordedEvent> {
        self.log.iter().filter(move |event| event.stream() == stream)
    }

    fn version(&self, stream: &StreamId) -> i64 {
        i64::try_from(self.stream(stream).count()).expect("a few events")
    }

    /// The last position that is known here. What was rolled back may have used up later ones.
    fn last_position(&self) -> Position {
        self.log.last().map_or(Position::START, RecordedEvent::position)
    }
}

fn is_allowed(expected: ExpectedVersion, actual: i64) -> bool {
    match expected {
        ExpectedVersion::Any => true,
        ExpectedVersion::NoStream => actual == 0,
        ExpectedVersion::StreamExists => actual != 0,
        ExpectedVersion::Exact(version) => actual == version,
    }
}

/// One run of steps, on streams of its own behind what is in the log already.
struct Run {
    store: EventStore,
    streams: Vec<StreamId>,
    begin: Position,
    model: Model,
}

impl Run {
    fn new(conn: &mut impl EventConnection, case: u32) -> Result<Self> {
        let store = EventStore::new();
        let streams = (0..STREAMS).map(|stream| StreamId::new(format!("Case{case}"), stream));
        let streams = streams.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { store, streams, begin: store.last_position(conn)?, model: Model::default() })
    }

    fn take<C: Connection + EventConnection>(&mut self, conn: &mut C, steps: &[Step]) -> Result {
        for step in steps {
            match step {
                Step::Append { stream, expected, events, repeats_an_id } => {
                    let stream = self.streams[*stream].clone();
                    let expected = expected.at(self.model.version(&stream));
                    self.append(conn, &stream, expected, self.batch(*events, *repeats_an_id)?)?;
                }
                Step::Transaction { steps, commits } => self.transaction(conn, steps, *commits)?,
            }
            self.compare_streams(conn)?;
        }
        Ok(())
    }

    /// New events; the last one with the id of an event that is there already, if that is asked for and there
    /// is one.
    fn batch(&self, events: i64, repeats_an_id: bool) -> Result<Vec<NewEvent>> {
        let mut batch = counted(events)?;
        if let (true, Some(known)) = (repeats_an_id, self.model.log.first()) {
            let last = batch.pop().expect("at least one event");
            batch.push(last.with_id(known.id()));
        }
        Ok(batch)
    }

    fn append<C: EventConnection>(
        &mut self,
        conn: &mut C,
        stream: &StreamId,
        expected: ExpectedVersion,
        batch: Vec<NewEvent>,
    ) -> Result {
        let actual = self.model.version(stream);
        let repeated = batch.iter().position(|new| self.model.log.iter().any(|old| old.id() == new.id()));
        match self.store.append(conn, stream, expected, &batch) {
            Ok(appended) => {
                assert!(is_allowed(expected, actual) && repeated.is_none());
                assert_eq!(appended.previous_version(), actual);
                let next = actual + 1..=appended.version();
                assert_eq!(versions(appended.events()), Vec::from_iter(next));
                let ids = appended.events().iter().map(RecordedEvent::id);
                assert!(ids.eq(batch.iter().map(NewEvent::id)));
                assert!(appended.events()[0].position() > self.model.last_position().max(self.begin));
                self.model.log.extend(appended.into_events());
            }
            Err(AppendError::Conflict(conflict)) => {
                assert!(!is_allowed(expected, actual) && repeated.is_none());
                assert_eq!(
                    (&conflict.stream, conflict.expected, conflict.actual),
                    (stream, expected, actual)
                );
            }
            Err(AppendError::DuplicateEventId { event_index, event_id, .. }) => {
                assert_eq!((Some(event_index), event_id), (repeated, batch[event_index].id()));
            }
            Err(other) => return Err(other.into()),
        }
        Ok(())
    }

    fn transaction<C>(&mut self, conn: &mut C, steps: &[Step], commits: bool) -> Result
    where
        C: Connection + EventConnection,
    {
        let before = self.model.clone();
        let outcome = conn.transaction(|conn| -> Result {
            self.take(conn, steps)?;
            if commits { Ok(()) } else { Err(RollbackTransaction.into()) }
        });
        match outcome {
            Ok(()) => Ok(()),
            Err(error) if matches!(error.downcast_ref(), Some(RollbackTransaction)) => {
                self.model = before;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn compare_streams(&self, conn: &mut impl EventConnection) -> Result {
        for stream in &self.streams {
            let expected: Vec<_> = self.model.stream(stream).cloned().collect();
            let read = self.store.read_stream(conn, stream, ..)?;
            assert_eq!(read.version(), self.model.version(stream));
            assert_eq!(self.store.version(conn, stream)?, self.model.version(stream));
            assert_eq!(read.into_events(), expected);
        }
        Ok(())
    }

    /// For a connection that has no part in what was done.
    fn compare_log(&self, conn: &mut impl EventConnection) -> Result {
        let log = self.store.iter_log(conn, LogQuery::after(self.begin)).page_size(3);
        assert_eq!(log.collect::<Result<Vec<_>, _>>()?, self.model.log);
        assert_eq!(self.store.last_position(conn)?, self.model.last_position().max(self.begin));
        let heads = self.streams.iter().filter(|stream| self.model.version(stream) > 0).count();
        let aggregate_type = self.streams[0].aggregate_type();
        let found = count(conn, &format!("aggregate_heads WHERE aggregate_type = '{aggregate_type}'"))?;
        assert_eq!(found, i64::try_from(heads)?);
        Ok(())
    }
}

fn any_sequence_of_steps_does_what_the_model_says<D: TestDatabase>() -> Result {
    let db = D::migrated()?;
    let mut other = db.connect()?;
    let case = Cell::new(0);
    for_all(&mut other, 50, &steps(), |other, steps| {
        case.set(case.get() + 1);
        // One of its own for each case: a case that fails may leave a transaction open.
        let mut conn = db.connect()?;
        let mut run = Run::new(&mut conn, case.get())?;
        run.take(&mut conn, &steps)?;
        run.compare_streams(other)?;
        run.compare_log(other)
    })
}
