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
///
/// # Panics
///
/// When it is evaluated, which is when the program is compiled: if two groups claim one name.
pub const fn concat<const N: usize>(groups: &[&[EventType]]) -> [EventType; N] {
    let mut all = [EventType::new("", 1); N];
    let (mut group, mut at) = (0, 0);
    while group < groups.len() {
        let mut nth = 0;
        while nth < groups[group].len() {
            let new = groups[group][nth];
            assert!(!contains(&all, at, new.name), "two of the flattened enums claim the same event name");
            all[at] = new;
            (nth, at) = (nth + 1, at + 1);
        }
        group += 1;
    }
    all
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

const fn contains(types: &[EventType], len: usize, name: &str) -> bool {
    let mut at = 0;
    while at < len {
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
    use super::is_taker;

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
}
