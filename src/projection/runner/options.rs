use std::error::Error as StdError;
use std::time::Duration;

use crate::model::invalid::{InvalidInput, MAX_NAME_LENGTH, Problem, check_name};
use crate::projection::definition::Projection;
use crate::projection::progress::Progress;

type Connect<C> = dyn Fn() -> Result<C, Box<dyn StdError + Send + Sync>> + Send + Sync;
type OnProgress = dyn Fn(&Progress) + Send + Sync;

/// There must be room for the unique id, and a space before it.
const LONGEST_NAME: usize = MAX_NAME_LENGTH - 37;

/// What a runner is told before it is started.
pub(super) struct Options<C> {
    pub(super) connect: Box<Connect<C>>,
    pub(super) projections: Vec<Projection<C>>,
    /// If the application has given one.
    pub(super) name: Option<String>,
    pub(super) longest_pause: Duration,
    pub(super) on_progress: Option<Box<OnProgress>>,
}

impl<C> Options<C> {
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
