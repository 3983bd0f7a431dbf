use std::fmt::Debug;

use super::diff::diff;
use super::line::lines;
use crate::decision::Aggregate;

/// What an aggregate has decided on a command: [`Given::when`](super::Given::when) makes it.
#[derive(Debug, Clone)]
pub struct Outcome<A, E> {
    decision: Result<Decision<A>, E>,
    given: Vec<String>,
}

#[derive(Debug, Clone)]
struct Decision<A> {
    events: Vec<String>,
    state: A,
}

impl<A, E> Outcome<A, E> {
    pub(super) fn decided(events: Vec<String>, state: A, given: Vec<String>) -> Self {
        Self { decision: Ok(Decision { events, state }), given }
    }

    pub(super) fn rejected(rejection: E, given: Vec<String>) -> Self {
        Self { decision: Err(rejection), given }
    }
}

impl<A: Aggregate, E: Debug> Outcome<A, E> {
    /// These events happen, in this order, and no others.
    ///
    /// # Panics
    ///
    /// If others do, or the command was rejected.
    #[track_caller]
    pub fn then(self, events: impl IntoIterator<Item = A::Event>) -> Self {
        let expected = lines("expected", events);
        let decided = &self.decision().events;
        if *decided != expected {
            let diff = diff(&expected, decided);
            panic!("other events than expected (- expected, + decided):\n{diff}\n{}", self.history());
        }
        self
    }

    /// Nothing happens, and the command is not rejected.
    ///
    /// # Panics
    ///
    /// If something does, or the command was rejected.
    #[track_caller]
    pub fn then_nothing(self) -> Self {
        self.then([])
    }

    /// The command is rejected with this error.
    ///
    /// # Panics
    ///
    /// If it is not, or with another.
    #[track_caller]
    pub fn then_rejected(self, expected: E)
    where
        E: PartialEq,
    {
        match &self.decision {
            Err(rejection) if *rejection == expected => {}
            Err(rejection) => panic!(
                "another rejection than expected:\n- {expected:?}\n+ {rejection:?}\n{}",
                self.history()
            ),
            Ok(decision) => panic!(
                "not rejected (- expected, + decided):\n- {expected:?}\n{}\n{}",
                diff(&[], &decision.events),
                self.history()
            ),
        }
    }

    /// Looks at the state after what was decided, usually with assertions.
    ///
    /// # Panics
    ///
    /// If the command was rejected; and if `look` does.
    #[track_caller]
    pub fn then_state(self, look: impl FnOnce(&A)) -> Self {
        look(&self.decision().state);
        self
    }

    #[track_caller]
    fn decision(&self) -> &Decision<A> {
        match &self.decision {
            Ok(decision) => decision,
            Err(rejection) => panic!("rejected: {rejection:?}\n{}", self.history()),
        }
    }

    /// What came before, for a failure.
    fn history(&self) -> String {
        match &*self.given {
            [] => "given nothing".to_owned(),
            given => format!("given\n  {}", given.join("\n  ")),
        }
    }
}
