use std::fmt;

use crate::model::invalid::{InvalidInput, Problem};

/// A place in the whole log: the number the database gave an event when it was appended.
///
/// Positions only grow, and within one aggregate they grow with the version. They may have gaps on some databases,
/// so they are compared and stored, never computed. (A *version*, which counts 1, 2, 3 … within one aggregate, is a
/// plain `i64`, because it is there to be counted with.)
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(i64);

impl Position {
    /// Before the first event: reading forward from here reads everything.
    pub const START: Position = Position(0);

    /// After every event there will ever be: reading backward from here starts with the newest.
    pub const END: Position = Position(i64::MAX);

    /// A position that was kept somewhere as a number.
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

    /// What a database has returned, which is known to be a position.
    pub(crate) const fn stored(position: i64) -> Self {
        Self(position)
    }

    /// The position as a number, to be kept somewhere.
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
