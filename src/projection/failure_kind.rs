/// The kind of a handler's failure. It decides which of the projection's policies applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// The handler does not know the type of the event.
    UnknownEventType,
    /// The payload or metadata could not be decoded.
    Undecodable,
    /// Anything else, a panic included.
    Failed,
}
