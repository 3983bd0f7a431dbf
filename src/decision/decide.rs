use super::Aggregate;

/// An aggregate that decides on commands of this type.
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use diesel_event_store::{Aggregate, Decide, Event, Evolve};
///
/// #[derive(Debug, PartialEq, Event)]
/// enum AccountEvent {
///     #[event(name = "AccountClosed")]
///     Closed,
/// }
///
/// struct Account {
///     is_closed: bool,
/// }
///
/// impl Evolve for Account {
///     type Event = AccountEvent;
///
///     fn evolve(self, AccountEvent::Closed: AccountEvent) -> Self {
///         Self { is_closed: true }
///     }
/// }
///
/// impl Aggregate for Account {
///     const TYPE: &'static str = "Account";
///
///     fn initial(_id: &str) -> Self {
///         Self { is_closed: false }
///     }
/// }
///
/// struct Close;
///
/// impl Decide<Close> for Account {
///     type Error = std::convert::Infallible;
///
///     fn decide(&self, _command: &Close) -> Result<Vec<AccountEvent>, Self::Error> {
///         // Closed already: nothing happens.
///         Ok(if self.is_closed { vec![] } else { vec![AccountEvent::Closed] })
///     }
/// }
///
/// assert_eq!(Account::initial("a-1").decide(&Close), Ok(vec![AccountEvent::Closed]));
/// # }
/// ```
pub trait Decide<Command: ?Sized>: Aggregate {
    /// Why a command is rejected.
    type Error;

    /// What happens: no events are a decision, too. It only decides and changes nothing outside, because it
    /// runs again after another append was faster.
    ///
    /// # Errors
    ///
    /// The command is rejected; nothing is appended.
    fn decide(&self, command: &Command) -> Result<Vec<Self::Event>, Self::Error>;
}
