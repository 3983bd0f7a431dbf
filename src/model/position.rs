use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

use crate::model::invalid::{InvalidInput, Problem};

/// A place in the whole log: the number that the database assigned to an event when it was appended.
///
/// Positions only grow, and within one stream they grow with the version. On some databases they have gaps,
/// so compare and store them, but do not compute with them. (A *version* counts 1, 2, 3 … within one stream;
/// it is a plain `i64`, because one can compute with it.)
///
/// ```
/// use diesel_event_store::Position;
///
/// let checkpoint = Position::new(42)?;
/// assert!(Position::START < checkpoint && checkpoint < Position::END);
/// assert_eq!(checkpoint.get(), 42);
/// assert!(Position::new(-1).is_err());
/// # Ok::<(), diesel_event_store::InvalidInput>(())
/// ```
///
/// serde reads and writes it as its number, and refuses a number below 0:
///
/// ```
/// use diesel_event_store::Position;
///
/// assert_eq!(serde_json::to_string(&Position::new(42)?)?, "42");
/// assert_eq!(serde_json::from_str::<Position>("42")?, Position::new(42)?);
/// let refused = serde_json::from_str::<Position>("-1").unwrap_err();
/// assert!(refused.to_string().starts_with("position is -1; it must be from 0 to 9223372036854775807"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(i64);

impl Position {
    /// Before the first event: reading forward from here reads the whole log.
    pub const START: Position = Position(0);

    /// After every event: reading backward from here begins with the newest one.
    pub const END: Position = Position(i64::MAX);

    /// The position with this number, as [`get`](Self::get) has returned it.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`] for a number below 0.
    pub fn new(position: i64) -> Result<Self, InvalidInput> {
        if position < 0 {
            let problem = Problem::OutOfRange { value: position, lowest: 0, highest: i64::MAX };
            return Err(InvalidInput::new("position", problem));
        }
        Ok(Self(position))
    }

    /// From a database, so it is valid.
    pub(crate) const fn stored(position: i64) -> Self {
        Self(position)
    }

    /// The position as a number, to store it elsewhere.
    ///
    /// ```
    /// assert_eq!(diesel_event_store::Position::START.get(), 0);
    /// ```
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Position> for i64 {
    fn from(position: Position) -> i64 {
        position.0
    }
}

impl TryFrom<i64> for Position {
    type Error = InvalidInput;

    fn try_from(position: i64) -> Result<Self, InvalidInput> {
        Self::new(position)
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(i64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
