use std::fmt;

/// Names a version of a projection.
///
/// The name is what its checkpoint is kept under. Each version has a checkpoint of its own, so a new one
/// begins with the first event of the log. Versions count from 1.
///
/// Functions that take one also take a pair. A name or a version that no projection can have is refused where
/// the projection is run, and is unknown everywhere else.
///
/// ```
/// use diesel_event_store::projection::ProjectionId;
///
/// let orders = ProjectionId::new("orders", 2);
/// assert_eq!((orders.name(), orders.version()), ("orders", 2));
/// assert_eq!(orders.to_string(), "orders version 2");
/// assert_eq!(ProjectionId::from(("orders", 2)), orders);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectionId {
    pub(crate) name: String,
    pub(crate) version: i32,
}

impl ProjectionId {
    /// This version of the projection with this name.
    pub fn new(name: impl Into<String>, version: i32) -> Self {
        Self { name: name.into(), version }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version.
    pub fn version(&self) -> i32 {
        self.version
    }
}

impl<N: Into<String>> From<(N, i32)> for ProjectionId {
    fn from((name, version): (N, i32)) -> Self {
        Self::new(name, version)
    }
}

impl From<&ProjectionId> for ProjectionId {
    fn from(id: &ProjectionId) -> Self {
        id.clone()
    }
}

impl fmt::Display for ProjectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} version {}", self.name, self.version)
    }
}
