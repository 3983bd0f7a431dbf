/// What a recorded event is read as.
///
/// ```
/// use diesel_event_store::Decoded;
///
/// assert_eq!(Decoded::One("paid").into_events(), ["paid"]);
/// assert_eq!(Decoded::Many(vec!["paid", "shipped"]).into_events(), ["paid", "shipped"]);
/// assert!(Decoded::<&str>::Ignored.into_events().is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded<E> {
    /// One event, as nearly always.
    One(E),
    /// Several, into which a retired event was split. They share its version, position and id.
    Many(Vec<E>),
    /// Nothing: the event is retired.
    Ignored,
}

impl<E> Decoded<E> {
    /// The events, in their order.
    pub fn into_events(self) -> Vec<E> {
        match self {
            Self::One(event) => vec![event],
            Self::Many(events) => events,
            Self::Ignored => Vec::new(),
        }
    }

    /// The same with each event wrapped or changed.
    ///
    /// ```
    /// use diesel_event_store::Decoded;
    ///
    /// assert_eq!(Decoded::One(20).map(|cents| cents * 2), Decoded::One(40));
    /// ```
    pub fn map<T>(self, change: impl FnMut(E) -> T) -> Decoded<T> {
        let mut change = change;
        match self {
            Self::One(event) => Decoded::One(change(event)),
            Self::Many(events) => Decoded::Many(events.into_iter().map(change).collect()),
            Self::Ignored => Decoded::Ignored,
        }
    }

    /// Calls `apply` with each event, in their order.
    ///
    /// ```
    /// use diesel_event_store::Decoded;
    ///
    /// let mut seen = Vec::new();
    /// Decoded::Many(vec!["paid", "shipped"]).for_each(|event| seen.push(event));
    /// assert_eq!(seen, ["paid", "shipped"]);
    /// ```
    #[inline]
    pub fn for_each(self, mut apply: impl FnMut(E)) {
        match self {
            Self::One(event) => apply(event),
            Self::Many(events) => events.into_iter().for_each(apply),
            Self::Ignored => {}
        }
    }
}
