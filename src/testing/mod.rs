//! Tests of aggregates without a database: given these events, when this command comes, then these events
//! happen.
//!
//! If the aggregate has snapshots, the state is written and read back after each given event.
//!
//! Events are compared as the text that is stored, in their order and number. What is not as expected is a
//! panic that shows a diff, an event per line.
//!
//! ```
//! # #[cfg(feature = "derive")] {
//! use diesel_event_store::testing::given;
//! use diesel_event_store::{Aggregate, Decide, Event, Evolve};
//!
//! #[derive(Event)]
//! enum DoorEvent {
//!     #[event(name = "DoorOpened")]
//!     Opened,
//! }
//!
//! struct Door {
//!     is_open: bool,
//! }
//!
//! impl Evolve for Door {
//!     type Event = DoorEvent;
//!
//!     fn evolve(self, DoorEvent::Opened: DoorEvent) -> Self {
//!         Self { is_open: true }
//!     }
//! }
//!
//! impl Aggregate for Door {
//!     const TYPE: &'static str = "Door";
//!
//!     fn initial(_id: &str) -> Self {
//!         Self { is_open: false }
//!     }
//! }
//!
//! struct Open;
//!
//! #[derive(Debug, PartialEq)]
//! struct OpenAlready;
//!
//! impl Decide<Open> for Door {
//!     type Error = OpenAlready;
//!
//!     fn decide(&self, _command: &Open) -> Result<Vec<DoorEvent>, OpenAlready> {
//!         if self.is_open { Err(OpenAlready) } else { Ok(vec![DoorEvent::Opened]) }
//!     }
//! }
//!
//! given::<Door>("front", []).when(&Open).then([DoorEvent::Opened]).then_state(|door| assert!(door.is_open));
//! given::<Door>("front", [DoorEvent::Opened]).when(&Open).then_rejected(OpenAlready);
//! # }
//! ```

mod diff;
mod given;
mod line;
mod outcome;
mod snapshot;

pub use given::{Given, given, given_recorded};
pub use outcome::Outcome;
