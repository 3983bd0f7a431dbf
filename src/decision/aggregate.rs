use super::{Evolve, Snapshots};

/// A thing in the application that has a history: a state which is folded from the events of one stream.
///
/// [`EventStore::aggregate`](crate::EventStore::aggregate) loads it and executes commands on it.
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use diesel_event_store::{Aggregate, Event, Evolve};
///
/// #[derive(Event)]
/// enum AccountEvent {
///     #[event(name = "MoneyDeposited")]
///     Deposited { cents: i64 },
/// }
///
/// struct Account {
///     id: String,
///     cents: i64,
/// }
///
/// impl Evolve for Account {
///     type Event = AccountEvent;
///
///     fn evolve(self, AccountEvent::Deposited { cents }: AccountEvent) -> Self {
///         Self { cents: self.cents + cents, ..self }
///     }
/// }
///
/// impl Aggregate for Account {
///     const TYPE: &'static str = "Account";
///
///     fn initial(id: &str) -> Self {
///         Self { id: id.to_owned(), cents: 0 }
///     }
/// }
///
/// let account = Account::initial("a-1").evolve(AccountEvent::Deposited { cents: 500 });
/// assert_eq!((&*account.id, account.cents), ("a-1", 500));
/// # }
/// ```
pub trait Aggregate: Evolve {
    /// The stored name: the `aggregate_type` of its streams, 1 to [`MAX_NAME_LENGTH`](crate::MAX_NAME_LENGTH)
    /// characters. It is written in the code and never taken from a Rust name. One Rust type has it: two
    /// would be restored from each other's [snapshots](Self::snapshots).
    const TYPE: &'static str;

    /// The state before the first event.
    fn initial(id: &str) -> Self;

    /// Whether the state is stored now and then, so that loading need not read all events. Default: `None`.
    /// It pays from some 20 events on.
    fn snapshots() -> Option<Snapshots<Self>> {
        None
    }
}
