//! Snapshots are used as they are stored, so another shape is another version.

use diesel_event_store::schema_lock::FindingKind::{New, SnapshotChanged, TwoShapes};
use diesel_event_store::schema_lock::schemars::JsonSchema;
use diesel_event_store::schema_lock::{Mode, shapes, snapshot};
use diesel_event_store::{Aggregate, Event, Evolve, Snapshots};
use serde::{Deserialize, Serialize};

use super::lock::{Lock, Result, kinds};

#[derive(Event)]
#[event(lock)]
enum MeterEvent {
    #[event(name = "Meter")] // as the aggregate is called
    Read,
}

/// A release of the aggregate `Meter`, with a state of this shape.
macro_rules! release {
    ($name:ident: $snapshots:expr, { $($state:tt)* }) => {
        #[derive(Default, Serialize, Deserialize, JsonSchema)]
        struct $name { $($state)* }

        impl Evolve for $name {
            type Event = MeterEvent;

            fn evolve(self, _event: MeterEvent) -> Self {
                self
            }
        }

        impl Aggregate for $name {
            const TYPE: &'static str = "Meter";

            fn initial(_id: &str) -> Self {
                Self::default()
            }

            fn snapshots() -> Option<Snapshots<Self>> {
                $snapshots
            }
        }
    };
}

release!(First: Some(Snapshots::version(1)), { kwh: u64 });
release!(Longer: Some(Snapshots::version(1)), { kwh: u64, #[serde(default)] last: Option<u64> });
release!(Second: Some(Snapshots::version(2)), { kwh: u64, #[serde(default)] last: Option<u64> });
release!(Without: None, { kwh: u64 });

/// A lock of the events and the first release.
fn lock() -> Result<Lock> {
    let lock = Lock::new()?;
    lock.run(Mode::Update, [shapes::<MeterEvent>(), snapshot::<First>()])?;
    lock.run(Mode::Check, [shapes::<MeterEvent>(), snapshot::<First>()])?;
    Ok(lock)
}

#[test]
fn one_that_is_not_locked_is_found() -> Result {
    let lock = Lock::of::<MeterEvent>()?;
    let found = lock.run(Mode::Check, [shapes::<MeterEvent>(), snapshot::<First>()]);
    assert_eq!(kinds(found), [New]);
    lock.run(Mode::Check, [shapes::<MeterEvent>(), snapshot::<Without>()])?;
    Ok(())
}

/// Events that were recorded could be read without it; a snapshot would lack what was folded into it.
#[test]
fn an_optional_field_needs_a_new_version() -> Result {
    let lock = lock()?;
    for mode in [Mode::Check, Mode::Update] {
        let found = lock.run(mode, [shapes::<MeterEvent>(), snapshot::<Longer>()]);
        let said = found.as_ref().unwrap_err().to_string();
        assert!(said.contains("+ properties.last"), "{said}");
        assert!(said.contains("Snapshots::version(2)"), "{said}");
        assert_eq!(kinds(found), [SnapshotChanged]);
    }
    Ok(())
}

#[test]
fn a_new_version_is_recorded_and_the_old_one_is_not_used_again() -> Result {
    let lock = lock()?;
    assert_eq!(kinds(lock.run(Mode::Check, [shapes::<MeterEvent>(), snapshot::<Second>()])), [New]);
    lock.run(Mode::Update, [shapes::<MeterEvent>(), snapshot::<Second>()])?;
    lock.run(Mode::Check, [shapes::<MeterEvent>(), snapshot::<Second>()])?;
    let found = lock.run(Mode::Update, [shapes::<MeterEvent>(), snapshot::<First>()]);
    assert!(found.as_ref().unwrap_err().to_string().contains("Snapshots::version(3)"));
    assert_eq!(kinds(found), [SnapshotChanged]);
    Ok(())
}

#[test]
fn what_is_locked_stays_while_there_are_no_snapshots() -> Result {
    let lock = lock()?;
    lock.run(Mode::Update, [shapes::<MeterEvent>(), snapshot::<Without>()])?;
    assert_eq!(
        kinds(lock.run(Mode::Check, [shapes::<MeterEvent>(), snapshot::<Longer>()])),
        [SnapshotChanged]
    );
    Ok(())
}

#[test]
fn a_shape_of_which_none_was_stored_is_forced() -> Result {
    let lock = lock()?;
    lock.run(Mode::Force, [shapes::<MeterEvent>(), snapshot::<Longer>()])?;
    lock.run(Mode::Check, [shapes::<MeterEvent>(), snapshot::<Longer>()])?;
    Ok(())
}

#[test]
fn a_lock_without_snapshots_says_nothing_of_them() -> Result {
    assert!(!Lock::of::<MeterEvent>()?.text()?.contains("snapshots"));
    Ok(())
}

#[test]
fn two_states_of_one_aggregate_type_are_refused() -> Result {
    let lock = lock()?;
    for mode in [Mode::Check, Mode::Update, Mode::Force] {
        let both = lock.run(mode, [shapes::<MeterEvent>(), snapshot::<First>(), snapshot::<Second>()]);
        let said = both.as_ref().unwrap_err().to_string();
        assert!(kinds(both).contains(&TwoShapes), "{said}");
        assert!(said.contains("First") && said.contains("Second"), "{said}");
    }
    lock.run(Mode::Force, [shapes::<MeterEvent>(), snapshot::<First>(), snapshot::<Without>()])?;
    Ok(())
}
