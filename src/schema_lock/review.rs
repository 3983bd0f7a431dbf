use serde_json::Value;

use super::changes::changes;
use super::file::LockFile;
use super::finding::{Finding, FindingKind};
use super::shape::Shape;
use super::shapes::Shapes;
use super::trial::Trial;

/// The lock beside the code.
pub(super) struct Review<'a> {
    pub(super) lock: &'a LockFile,
    pub(super) all: &'a [Shapes],
}

impl Review<'_> {
    /// What was locked first, each in the order of the names; then what is written now.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self
            .lock
            .iter()
            .filter_map(|(name, version, schemas)| self.about_locked(name, version, schemas))
            .collect();
        for (shapes, shape) in self.written() {
            if !findings.iter().any(|found| shape.is_of(found.name(), found.version())) {
                findings.extend(self.about_written(shapes, shape));
            }
        }
        findings
    }

    /// Each event that is written, with the enum it belongs to.
    fn written(&self) -> impl Iterator<Item = (&Shapes, &Shape)> {
        self.all.iter().flat_map(|shapes| shapes.shapes.iter().map(move |shape| (shapes, shape)))
    }

    fn about_locked(&self, name: &str, version: i32, schemas: &[Value]) -> Option<Finding> {
        let mut trials =
            self.all.iter().filter(|shapes| shapes.know(name)).map(|shapes| Trial { shapes, name, version });
        let Some(first) = trials.next() else { return Some(Finding::gone(name, version)) };
        std::iter::once(first).chain(trials).find_map(|trial| self.tried(&trial, schemas))
    }

    fn tried(&self, trial: &Trial<'_>, schemas: &[Value]) -> Option<Finding> {
        let trouble = |schema| trial.of(schema).map(|trouble| (schema, trouble));
        let (schema, trouble) = schemas.iter().find_map(trouble)?;
        let now = self.written_as(trial.name, trial.version);
        let changes = now.map_or_else(Vec::new, |now| changes(schema, now.schema()));
        Some(Finding::of(trial, &trouble, &changes))
    }

    /// The shape in which this event is written now, if it is.
    pub(super) fn written_as(&self, name: &str, version: i32) -> Option<&Shape> {
        self.written().map(|(_, shape)| shape).find(|shape| shape.is_of(name, version))
    }

    fn about_written(&self, shapes: &Shapes, shape: &Shape) -> Option<Finding> {
        let (name, version) = (shape.event_type().name(), shape.event_type().version());
        if let Some(finding) = self.claimed_twice(shapes, shape) {
            return Some(finding);
        }
        let trial = Trial { shapes, name, version };
        if let Some(trouble) = trial.of(shape.schema()) {
            return Some(Finding::not_read_back(&trial, &trouble));
        }
        match self.lock.schemas(name, version) {
            [] => Some(Finding::added(name, version)),
            schemas if schemas.contains(shape.schema()) => None,
            [.., latest] => Some(Finding::changed(name, version, &changes(latest, shape.schema()))),
        }
    }

    fn claimed_twice(&self, shapes: &Shapes, shape: &Shape) -> Option<Finding> {
        let (name, version) = (shape.event_type().name(), shape.event_type().version());
        let is_other = |other: &Shape| other.event_type().name() == name && other != shape;
        let (rival, other) = self.written().find(|(_, other)| is_other(other))?;
        let enums = [shapes.of, rival.of];
        Some(Finding::two_shapes(name, version, enums, &changes(shape.schema(), other.schema())))
    }
}

impl FindingKind {
    /// Whether nothing that was recorded is lost.
    pub(super) fn is_compatible(self) -> bool {
        matches!(self, Self::New | Self::Changed)
    }

    /// Whether it only matters if events of it have been recorded.
    pub(super) fn matters_if_recorded(self) -> bool {
        matches!(self, Self::Unreadable | Self::Dropped | Self::Narrowed | Self::Gone)
    }
}
