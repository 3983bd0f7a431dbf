use std::time::Duration;

use super::crew::Crew;
use crate::model::invalid::{InvalidInput, MAX_NAME_LENGTH, Problem, check_name};
use crate::projection::definition::Projection;
use crate::projection::progress::Progress;

type OnProgress = dyn Fn(&Progress) + Send + Sync;

/// There must be room for the unique id, and a space before it.
const LONGEST_NAME: usize = MAX_NAME_LENGTH - 37;

/// What a runner is told before it is started.
pub(in crate::projection) struct Options<W: Crew> {
    pub(super) connect: W::Connect,
    pub(in crate::projection) projections: Vec<Projection<W::Conn, W::Kind>>,
    /// If the application has given one.
    pub(in crate::projection) name: Option<String>,
    pub(in crate::projection) longest_pause: Duration,
    pub(in crate::projection) on_progress: Option<Box<OnProgress>>,
}

impl<W: Crew> Options<W> {
    pub(in crate::projection) fn new(connect: W::Connect) -> Self {
        Self {
            connect,
            projections: Vec::new(),
            name: None,
            longest_pause: Duration::from_secs(1),
            on_progress: None,
        }
    }

    pub(super) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("worker")
    }

    pub(super) fn validate(&self) -> Result<(), InvalidInput> {
        check_name("name", self.name())?;
        let length = self.name().chars().count();
        if length > LONGEST_NAME {
            return Err(InvalidInput::new("name", Problem::TooLong { length, limit: LONGEST_NAME }));
        }
        if self.projections.is_empty() {
            return Err(InvalidInput::new("projections", Problem::Empty));
        }
        for (number, projection) in self.projections.iter().enumerate() {
            projection.validate()?;
            let name = projection.id().name();
            if self.projections[..number].iter().any(|other| other.id().name() == name) {
                let problem = Problem::Repeated { name: name.to_owned() };
                return Err(InvalidInput::new("projections", problem));
            }
        }
        Ok(())
    }
}
