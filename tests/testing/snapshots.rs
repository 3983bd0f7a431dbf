//! The state goes through its snapshot after each given event.

use std::collections::HashSet;

use diesel_event_store::testing::given;
use diesel_event_store::{Aggregate, Decide, Evolve, Snapshots};
use serde::{Deserialize, Serialize};

use super::door::{DoorEvent, failure, opened};

/// A door that counts who has opened it.
macro_rules! door {
    ($name:ident, $(#[$attribute:meta])*) => {
        #[derive(Debug, Clone, Serialize, Deserialize)]
        struct $name {
            $(#[$attribute])*
            opened: u32,
        }

        impl Evolve for $name {
            type Event = DoorEvent;

            fn evolve(self, _event: DoorEvent) -> Self {
                Self { opened: self.opened + 1 }
            }
        }

        impl Aggregate for $name {
            const TYPE: &'static str = "Door";

            fn initial(_id: &str) -> Self {
                Self { opened: 0 }
            }

            fn snapshots() -> Option<Snapshots<Self>> {
                Some(Snapshots::version(1))
            }
        }

        impl Decide<()> for $name {
            type Error = u32;

            fn decide(&self, (): &()) -> Result<Vec<DoorEvent>, u32> {
                Err(self.opened)
            }
        }
    };
}

door!(Sound,);
door!(Forgetful, #[serde(skip)]);
door!(Unreadable, #[serde(rename(serialize = "times"))]);
door!(Unwritable, #[serde(serialize_with = "no_json")]);
door!(Changing, #[serde(serialize_with = "one_more")]);

fn no_json<S: serde::Serializer>(_: &u32, _: S) -> Result<S::Ok, S::Error> {
    Err(serde::ser::Error::custom("no"))
}

fn one_more<S: serde::Serializer>(opened: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u32(opened + 1)
}

#[test]
fn a_sound_one_changes_nothing() {
    given::<Sound>("front", [opened("Al"), opened("Bo")]).when(&()).then_rejected(2);
}

/// It says nothing of what it has lost, but decides otherwise.
#[test]
fn a_field_that_is_not_stored_is_missing_in_the_decision() {
    let said =
        failure(|| given::<Forgetful>("front", [opened("Al"), opened("Bo")]).when(&()).then_rejected(2));
    assert!(said.contains("another rejection than expected:\n- 2\n+ 0"), "{said}");
}

#[test]
fn a_state_that_cannot_be_read_back_is_named() {
    let said = failure(|| given::<Unreadable>("front", [opened("Al")]));
    assert!(
        said.starts_with("the state after given event 1 does not survive its snapshot: missing field"),
        "{said}"
    );
}

#[test]
fn a_state_that_cannot_be_written_is_named() {
    let said = failure(|| given::<Unwritable>("front", [opened("Al")]));
    assert!(
        said.starts_with("the state after given event 1 does not survive its snapshot: snapshot cannot"),
        "{said}"
    );
}

#[test]
fn a_state_that_changes_is_shown() {
    let said = failure(|| given::<Changing>("front", [opened("Al")]));
    assert!(said.contains("- {\"opened\":2}\n+ {\"opened\":3}"), "{said}");
}

/// A door that has a note for each time: the set is written in another order each time, the list is not.
macro_rules! noted {
    ($name:ident: $notes:ty, $(#[$attribute:meta])*) => {
        #[derive(Debug, Default, Serialize, Deserialize)]
        struct $name {
            $(#[$attribute])*
            notes: $notes,
        }

        impl Evolve for $name {
            type Event = DoorEvent;

            fn evolve(mut self, _event: DoorEvent) -> Self {
                let next = self.notes.len();
                self.notes.extend([next]);
                self
            }
        }

        impl Aggregate for $name {
            const TYPE: &'static str = "Door";

            fn initial(_id: &str) -> Self {
                Self::default()
            }

            fn snapshots() -> Option<Snapshots<Self>> {
                Some(Snapshots::version(1))
            }
        }
    };
}

noted!(Sets: HashSet<usize>,);
noted!(ReversingBeside: Beside,);
noted!(Reversing: Vec<usize>, #[serde(serialize_with = "backward")]);

fn backward<S: serde::Serializer>(notes: &[usize], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(notes.iter().rev())
}

/// A list that is stored in another order, beside a set.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Beside {
    set: HashSet<usize>,
    #[serde(serialize_with = "backward")]
    list: Vec<usize>,
}

impl Beside {
    fn len(&self) -> usize {
        self.list.len()
    }
}

impl Extend<usize> for Beside {
    fn extend<T: IntoIterator<Item = usize>>(&mut self, notes: T) {
        for note in notes {
            self.set.insert(note);
            self.list.push(note);
        }
    }
}

#[test]
fn a_hash_set_survives_in_whatever_order() {
    for _ in 0..10 {
        given::<Sets>("front", (0..8).map(|_| opened("Bo")))
            .then_state(|door| assert_eq!(door.notes.len(), 8));
    }
}

#[test]
fn a_list_that_changes_its_order_is_found() {
    let twice = || (0..2).map(|_| opened("Bo"));
    for said in [
        failure(|| drop(given::<Reversing>("front", twice()))),
        failure(|| drop(given::<ReversingBeside>("front", twice()))),
    ] {
        assert!(
            said.starts_with("the state after given event 2 does not survive its snapshot: it changes"),
            "{said}"
        );
    }
}
