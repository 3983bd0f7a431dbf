use std::fmt;

/// The stored name of an event, and the newest version of its content.
///
/// ```
/// use diesel_event_store::EventType;
///
/// const PLACED: EventType = EventType::new("OrderPlaced", 3);
/// assert_eq!((PLACED.name(), PLACED.version()), ("OrderPlaced", 3));
/// assert_eq!(PLACED.to_string(), "OrderPlaced version 3");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventType {
    name: &'static str,
    version: i32,
}

impl EventType {
    /// A name of 1 to [`MAX_NAME_LENGTH`](crate::MAX_NAME_LENGTH) characters, and a version of 1 or more.
    /// Both are checked when an event is appended.
    pub const fn new(name: &'static str, version: i32) -> Self {
        Self { name, version }
    }

    /// The stored name.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The newest version.
    pub const fn version(self) -> i32 {
        self.version
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} version {}", self.name, self.version)
    }
}

/// The types of several groups as one array: what an enum of enums reads.
pub const fn concat<const N: usize>(groups: &[&[EventType]]) -> [EventType; N] {
    let mut all = [EventType::new("", 1); N];
    let (mut group, mut at) = (0, 0);
    while group < groups.len() {
        let mut nth = 0;
        while nth < groups[group].len() {
            all[at] = groups[group][nth];
            (nth, at) = (nth + 1, at + 1);
        }
        group += 1;
    }
    all
}

/// The first name that both groups claim. Empty if they claim none, because no event has an empty name.
pub const fn shared_name(one: &[EventType], other: &[EventType]) -> &'static str {
    let mut at = 0;
    while at < one.len() {
        if has_name(other, one[at].name) {
            return one[at].name;
        }
        at += 1;
    }
    ""
}

/// # Panics
///
/// If the name is not empty: two groups claim it. The compiler evaluates this, and a message cannot be put
/// together there without its length, `N`.
pub const fn refuse_shared<const N: usize>(name: &str, text: &str) {
    if name.is_empty() {
        return;
    }
    let mut said = [0; N];
    let mut at = 0;
    while at < N {
        said[at] = if at < name.len() { name.as_bytes()[at] } else { text.as_bytes()[at - name.len()] };
        at += 1;
    }
    match std::str::from_utf8(&said) {
        Ok(said) => panic!("{}", said),
        Err(_) => panic!("two of the flattened enums claim the same event name"),
    }
}

/// Whether one of the groups takes events that no group names.
///
/// # Panics
///
/// When it is evaluated, which is when the program is compiled: if two do.
pub const fn is_taker(groups: &[bool]) -> bool {
    let (mut group, mut takers) = (0, 0);
    while group < groups.len() {
        takers += groups[group] as usize;
        group += 1;
    }
    assert!(
        takers <= 1,
        "two of the flattened enums, or one and the enum itself, take the events of other types"
    );
    takers == 1
}

/// Whether one of the types has the name.
pub const fn has_name(types: &[EventType], name: &str) -> bool {
    let mut at = 0;
    while at < types.len() {
        if equal(types[at].name.as_bytes(), name.as_bytes()) {
            return true;
        }
        at += 1;
    }
    false
}

const fn equal(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    one.len() == other.len() && at == one.len()
}

#[cfg(test)]
mod tests {
    use super::{EventType, is_taker, refuse_shared, shared_name};

    #[test]
    fn one_of_several_groups_takes_what_no_group_names() {
        assert!(is_taker(&[false, true, false]));
        assert!(!is_taker(&[false, false]));
    }

    #[test]
    #[should_panic(expected = "take the events of other types")]
    fn two_groups_that_take_it_are_refused() {
        is_taker(&[true, false, true]);
    }

    const PAYMENT: &[EventType] = &[EventType::new("Paid", 1), EventType::new("Cancelled", 1)];
    const SHIPMENT: &[EventType] = &[EventType::new("Sent", 2), EventType::new("Cancelled", 2)];

    #[test]
    fn groups_without_a_common_name_are_fine() {
        assert_eq!(shared_name(PAYMENT, &SHIPMENT[..1]), "");
        refuse_shared::<0>("", "");
    }

    #[test]
    #[should_panic(expected = "Cancelled is in both `Payment` and `Shipment`")]
    fn a_name_that_two_groups_claim_is_told() {
        const TEXT: &str = " is in both `Payment` and `Shipment`";
        const NAME: &str = shared_name(PAYMENT, SHIPMENT);
        refuse_shared::<{ NAME.len() + TEXT.len() }>(NAME, TEXT);
    }
}
