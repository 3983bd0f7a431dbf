use super::line::line;
use super::outcome::Outcome;
use super::snapshot::through_its_snapshot;
use crate::decision::decided::Decided;
use crate::decision::envelope::Envelope;
use crate::decision::{Aggregate, Decide, Loaded};
use crate::event::Event;
use crate::model::event::NewEvent;
use crate::model::invalid::InvalidInput;
use crate::model::position::Position;
use crate::model::stream_id::StreamId;

/// An aggregate after what has happened to it: [`given`] and [`given_recorded`] make it.
#[derive(Debug, Clone)]
pub struct Given<A> {
    stream: StreamId,
    loaded: Loaded<A>,
    lines: Vec<String>,
}

/// An aggregate to which these events have happened. Each of them is written as it is stored and read back.
/// If the aggregate has [snapshots](crate::Snapshots), so is its state after each event: a decision that
/// needs what the snapshot has lost comes out differently.
///
/// # Panics
///
/// If an event cannot be stored, or not be read back as an event of the aggregate; if the state cannot, or
/// changes on the way; or if the id cannot be stored.
///
/// ```
/// # use diesel_event_store::Aggregate;
/// use diesel_event_store::testing::given;
///
/// fn begins_at_zero<A: Aggregate>(version: fn(&A) -> u32) {
///     given::<A>("o-1", []).then_state(|state| assert_eq!(version(state), 0));
/// }
/// ```
#[must_use = "nothing is compared yet"]
#[track_caller]
pub fn given<A: Aggregate>(id: impl ToString, events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    Given::all(id, events.into_iter().map(|event| event.to_new()))
}

/// An aggregate to which events have happened that an older release has recorded: type, version and payload
/// as they are stored.
///
/// # Panics
///
/// If an event cannot be read as an event of the aggregate, or is not JSON; or if the id cannot be stored.
///
/// ```
/// # use diesel_event_store::Aggregate;
/// use diesel_event_store::testing::given_recorded;
///
/// fn reads_version_1<Order: Aggregate>(cents: fn(&Order) -> i64) {
///     let old = given_recorded::<Order>("o-1", [("OrderPlaced", 1, r#"{"euros":12}"#)]);
///     old.then_state(|order| assert_eq!(cents(order), 1200));
/// }
/// ```
#[must_use = "nothing is compared yet"]
#[track_caller]
pub fn given_recorded<A: Aggregate>(
    id: impl ToString,
    events: impl IntoIterator<Item = (&'static str, i32, &'static str)>,
) -> Given<A> {
    let new = |(name, version, json)| Ok(NewEvent::from_json(name, json)?.event_version(version));
    Given::all(id, events.into_iter().map(new))
}

impl<A: Aggregate> Given<A> {
    #[track_caller]
    fn all(id: impl ToString, events: impl Iterator<Item = Result<NewEvent, InvalidInput>>) -> Self {
        let stream = match StreamId::new(A::TYPE, id) {
            Ok(stream) => stream,
            Err(invalid) => panic!("the aggregate cannot be stored: {invalid}"),
        };
        let loaded = Loaded::initial(stream.aggregate_id());
        let mut given = Self { stream, loaded, lines: Vec::new() };
        for event in events {
            given = given.and(event);
        }
        given
    }

    #[track_caller]
    fn and(mut self, event: Result<NewEvent, InvalidInput>) -> Self {
        let nth = self.loaded.version + 1;
        let recorded = event.and_then(|new| {
            self.lines.push(line(&new));
            new.recorded(&self.stream, nth, Position::stored(nth))
        });
        let recorded = match recorded {
            Ok(recorded) => recorded,
            Err(invalid) => panic!("given event {nth} cannot be stored: {invalid}"),
        };
        match self.loaded.after(&[recorded]) {
            Ok(loaded) => Self { loaded: through_its_snapshot(loaded), ..self },
            Err(error) => panic!("given event {nth} cannot be read: {error}"),
        }
    }

    /// Has the aggregate decide on a command.
    ///
    /// # Panics
    ///
    /// If one of the events that it decides on cannot be stored, or not be read back.
    #[must_use = "nothing is compared yet"]
    #[track_caller]
    pub fn when<Command: ?Sized>(self, command: &Command) -> Outcome<A, <A as Decide<Command>>::Error>
    where
        A: Decide<Command>,
    {
        let Self { stream, loaded, lines } = self;
        let events = match loaded.state.decide(command) {
            Ok(events) => events,
            Err(rejection) => return Outcome::rejected(rejection, lines),
        };
        match Decided::new(&events, &stream, loaded.version, &Envelope::default()) {
            Ok(decided) => {
                let happened = decided.new_events().iter().map(line).collect();
                Outcome::decided(happened, decided.executed(loaded, Vec::new()).state, lines)
            }
            Err(invalid) => panic!("what was decided cannot be recorded: {invalid}"),
        }
    }

    /// Looks at the state after the given events, usually with assertions.
    pub fn then_state(self, look: impl FnOnce(&A)) -> Self {
        look(&self.loaded.state);
        self
    }
}
