//! A test finds out that a change would make recorded events unreadable, and what to do about it:
//! `cargo run --example schema_lock --features derive,schema-lock`
//!
//! In an application, `#[cfg_attr(test, event(lock))]` and `#[cfg_attr(test, derive(JsonSchema))]` keep all
//! of this out of the program, and the check is a unit test of one line:
//! `schema_lock::check("events.lock.json", [shapes::<OrderEvent>()])`.

use std::error::Error;

use diesel_event_store::schema_lock::{FindingKind, Mode, check_as, shapes};
use diesel_event_store::{Decoded, Event, NewEvent, Position, StreamId};

/// What is in production.
mod released {
    use diesel_event_store::Event;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Event)]
    #[event(lock)]
    pub enum OrderEvent {
        #[event(name = "OrderPlaced")]
        Placed(OrderPlaced),
        #[event(name = "OrderPaid")]
        Paid,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    pub struct OrderPlaced {
        pub euros: u32,
    }
}

/// Cents are needed. The field has another name and meaning, and the events of the past are forgotten.
mod careless {
    use diesel_event_store::Event;

    #[derive(Event)]
    #[event(lock)]
    pub enum OrderEvent {
        #[event(name = "OrderPlaced")]
        Placed { cents: u64 },
        #[event(name = "OrderPaid")]
        Paid,
    }
}

/// The same change, as a new version. The old type stays, as what version 1 looked like.
mod careful {
    use diesel_event_store::Event;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Event)]
    #[event(lock)]
    pub enum OrderEvent {
        #[event(name = "OrderPlaced", version = 2)]
        #[event(upcast(version = 1, from = super::released::OrderPlaced))]
        Placed(OrderPlaced),
        #[event(name = "OrderPaid")]
        Paid,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct OrderPlaced {
        pub cents: u64,
    }

    impl From<super::released::OrderPlaced> for OrderPlaced {
        fn from(old: super::released::OrderPlaced) -> Self {
            Self { cents: u64::from(old.euros) * 100 }
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let lock = folder.path().join("events.lock.json");

    println!("The first release writes the lock, as `EVENTS_LOCK=update cargo test` does:");
    check_as(Mode::Update, &lock, [shapes::<released::OrderEvent>()])?;
    println!("{}", std::fs::read_to_string(&lock)?);

    println!("The test of the careless change fails:\n");
    let failed = check_as(Mode::Check, &lock, [shapes::<careless::OrderEvent>()]).unwrap_err();
    println!("{failed}\n");
    assert_eq!(failed.findings()[0].name(), "OrderPlaced");
    assert_eq!(failed.findings()[0].kind(), FindingKind::Unreadable);

    println!("With a new version and an upcast it only wants to be recorded:");
    let new = check_as(Mode::Check, &lock, [shapes::<careful::OrderEvent>()]).unwrap_err();
    assert_eq!(new.findings()[0].kind(), FindingKind::New);
    check_as(Mode::Update, &lock, [shapes::<careful::OrderEvent>()])?;
    check_as(Mode::Check, &lock, [shapes::<careful::OrderEvent>()])?;

    let old = NewEvent::from_json("OrderPlaced", r#"{"euros":12}"#)?;
    let old = old.recorded(&StreamId::new("Order", "o-1")?, 1, Position::new(1)?)?;
    let read = careful::OrderEvent::decode(&old)?;
    assert_eq!(read, Decoded::One(careful::OrderEvent::Placed(careful::OrderPlaced { cents: 1200 })));
    println!("✓ What was recorded by the first release is read by the last: {read:?}");
    Ok(())
}
