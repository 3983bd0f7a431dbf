use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::invalid::{InvalidInput, Problem};
use crate::model::json::Json;
use crate::model::json_tree::JsonTree;

/// That the state of an aggregate is stored now and then, and how:
/// [`Aggregate::snapshots`](crate::Aggregate::snapshots) returns it.
///
/// A snapshot saves reading the events before it, and changes nothing else. One that cannot be used is ignored:
/// the state is then folded from all events.
///
/// **The version changes with the state and with what [`evolve`](crate::Evolve::evolve) makes of events.**
/// Snapshots of another version are not used, and stay: in a rolling deployment each release has its own. A
/// changed shape is found by the module `schema_lock`, a state that does not survive being stored by
/// [`testing`](crate::testing), a changed `evolve` by
/// [`EventStore::verify_snapshots`](crate::EventStore::verify_snapshots).
///
/// ```
/// # #[cfg(feature = "derive")]
/// # fn main() -> Result<(), diesel_event_store::Error> {
/// use diesel::prelude::*;
/// use diesel_event_store::{Aggregate, Event, EventStore, Evolve, Snapshots};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Event)]
/// enum MeterEvent {
///     #[event(name = "MeterRead")]
///     Read { kwh: u64 },
/// }
///
/// #[derive(Serialize, Deserialize)]
/// struct Meter {
///     kwh: u64,
/// }
///
/// impl Evolve for Meter {
///     type Event = MeterEvent;
///
///     fn evolve(self, MeterEvent::Read { kwh }: MeterEvent) -> Self {
///         Self { kwh }
///     }
/// }
///
/// impl Aggregate for Meter {
///     const TYPE: &'static str = "Meter";
///
///     fn initial(_id: &str) -> Self {
///         Self { kwh: 0 }
///     }
///
///     fn snapshots() -> Option<Snapshots<Self>> {
///         Some(Snapshots::version(1).every(50))
///     }
/// }
///
/// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// # diesel_event_store::run_pending_migrations(&mut conn)?;
/// let meter = EventStore::new().aggregate::<Meter>("m-1");
/// let readings = vec![MeterEvent::Read { kwh: 7 }; 60];
/// meter.clone().update(&mut conn, |_| Ok::<_, diesel_event_store::Error>(readings.clone()))?;
/// assert_eq!(meter.load(&mut conn)?.state.kwh, 7); // from the snapshot at version 60
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "derive"))]
/// # fn main() {}
/// ```
#[derive(Debug)]
pub struct Snapshots<A> {
    pub(crate) version: i32,
    pub(crate) every: u32,
    write: fn(&A) -> Result<Json, InvalidInput>,
    read: fn(&str) -> serde_json::Result<A>,
}

impl<A> Snapshots<A> {
    /// Snapshots of this version, 1 or more: what serde makes of the state. Every 100 events, unless
    /// [`every`](Self::every) says otherwise.
    ///
    /// ```
    /// # use diesel_event_store::Snapshots;
    /// let snapshots = Snapshots::<Vec<String>>::version(1);
    /// ```
    pub fn version(version: i32) -> Self
    where
        A: Serialize + DeserializeOwned,
    {
        Self {
            version,
            every: 100,
            write: |state| Json::from_value("snapshot", state),
            read: |text| serde_json::from_str(text),
        }
    }

    /// After how many events a snapshot is written, 1 or more: whenever a command passes a multiple of it.
    /// Default: 100. Loading then reads fewer than these and the last command's.
    ///
    /// ```
    /// # use diesel_event_store::Snapshots;
    /// let snapshots = Snapshots::<Vec<String>>::version(1).every(20);
    /// ```
    pub fn every(self, events: u32) -> Self {
        Self { every: events, ..self }
    }

    pub(crate) fn validate(&self) -> Result<(), InvalidInput> {
        for (field, value, highest) in [
            ("snapshot_version", i64::from(self.version), i64::from(i32::MAX)),
            ("every", i64::from(self.every), i64::from(u32::MAX)),
        ] {
            if value < 1 {
                return Err(InvalidInput::new(field, Problem::OutOfRange { value, lowest: 1, highest }));
            }
        }
        Ok(())
    }

    /// Whether a multiple was passed on the way from one version to another.
    pub(crate) fn is_due(&self, before: i64, after: i64) -> bool {
        let every = i64::from(self.every);
        before / every != after / every
    }

    pub(crate) fn write(&self, state: &A) -> Result<Json, InvalidInput> {
        (self.write)(state)
    }

    /// Whether two states that were written say the same. What a hash set holds has another order each time
    /// that it is read.
    pub(crate) fn are_same(&self, one: &Json, other: &Json) -> bool {
        let (Some(of_one), Some(of_other)) = (one.tree(), other.tree()) else { return one == other };
        of_one.is_same(&of_other)
            || of_one.essence() == of_other.essence() && self.differ_as_sets_do(one, [&of_one, &of_other])
    }

    /// Whether both differ only in lists that are written in another order each time that they are read. Of
    /// two items, half of the times it is the same.
    fn differ_as_sets_do(&self, written: &Json, both: [&JsonTree<'_>; 2]) -> bool {
        const TIMES: usize = 64;
        let again = || self.write(&self.read(written.as_str()).ok()?).ok();
        let Some(first) = again() else { return false };
        let Some(mut first) = first.tree() else { return false };
        (0..TIMES).filter_map(|_| again()).any(|again| {
            again.tree().into_iter().for_each(|again| first.forget_order(&again));
            both.iter().all(|one| first.is_same(one))
        })
    }

    pub(crate) fn read(&self, text: &str) -> serde_json::Result<A> {
        (self.read)(text)
    }
}
