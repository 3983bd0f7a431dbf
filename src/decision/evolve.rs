use crate::event::Event;

/// A state that events change.
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use diesel_event_store::{Event, Evolve};
///
/// #[derive(Event)]
/// enum DoorEvent {
///     #[event(name = "DoorOpened")]
///     Opened,
///     #[event(name = "DoorClosed")]
///     Closed,
/// }
///
/// #[derive(Debug, PartialEq)]
/// enum Door {
///     Open,
///     Closed { times: u32 },
/// }
///
/// impl Evolve for Door {
///     type Event = DoorEvent;
///
///     fn evolve(self, event: DoorEvent) -> Self {
///         match (self, event) {
///             (_, DoorEvent::Opened) => Door::Open,
///             (Door::Open, DoorEvent::Closed) => Door::Closed { times: 1 },
///             (Door::Closed { times }, DoorEvent::Closed) => Door::Closed { times: times + 1 },
///         }
///     }
/// }
///
/// assert_eq!(Door::Open.evolve(DoorEvent::Closed), Door::Closed { times: 1 });
/// # }
/// ```
pub trait Evolve: Sized {
    /// What can happen to it.
    type Event: Event;

    /// The state after the event. The event has happened, so this neither refuses nor fails, and it depends
    /// on nothing but its arguments. The state is taken by value, so that an enum can be a state machine.
    ///
    /// A panic here, as of an addition that overflows, comes when the events are recorded already, and again
    /// at each load until a release folds them. So [`decide`](crate::Decide::decide) refuses what cannot be
    /// folded, with `checked_add` for instance. The [test kit](crate::testing) folds what is decided, too.
    fn evolve(self, event: Self::Event) -> Self;
}
