use std::sync::Mutex;
use std::thread;

use diesel_event_store::sqlite::{WriteError, Writer, WriterOptions};
use diesel_event_store::{AppendError, ExpectedVersion};
use test_support::sqlite_file::SqliteFile;
use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::Action::{Call, Response};
use todc_utils::linearizability::history::{Action, History};
use todc_utils::specifications::Specification;

use super::super::database::{event, stream};

/// An append that expects a version, and what was said of it: the version it led to, or the one it has found
/// instead.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Append {
    expected: i64,
    outcome: Option<Result<i64, i64>>,
}

/// A stream is nothing but its version.
struct Stream;

impl Specification for Stream {
    type State = i64;
    type Operation = Append;

    fn init() -> i64 {
        0
    }

    fn apply(append: &Append, version: &i64) -> (bool, i64) {
        match append.outcome {
            Some(Ok(new)) => (append.expected == *version && new == version + 1, new),
            Some(Err(actual)) => (append.expected != *version && actual == *version, *version),
            None => (false, *version),
        }
    }
}

type Actions = Vec<(usize, Action<Append>)>;

fn is_linearizable(actions: Actions) -> bool {
    WGLChecker::<Stream>::is_linearizable(History::from_actions(actions))
}

/// Appends to one stream, expecting what it was told last, until everybody has had enough.
fn record(writer: &Writer, callers: usize, appends: usize) -> Actions {
    let actions = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for caller in 0..callers {
            let actions = &actions;
            scope.spawn(move || {
                let mut expected = 0;
                for _ in 0..appends {
                    let append = Append { expected, outcome: None };
                    actions.lock().unwrap().push((caller, Call(append)));
                    let appended = writer.append(&stream("1"), ExpectedVersion::Exact(expected), [event()]);
                    let outcome = match appended.wait() {
                        Ok(appended) => Ok(appended.version()),
                        Err(WriteError::Append(AppendError::Conflict(conflict))) => Err(conflict.actual),
                        Err(other) => panic!("{other}"),
                    };
                    let append = Append { outcome: Some(outcome), ..append };
                    actions.lock().unwrap().push((caller, Response(append)));
                    expected = outcome.unwrap_or_else(|actual| actual);
                }
            });
        }
    });
    actions.into_inner().unwrap()
}

#[test]
fn appends_that_expect_a_version_are_linearizable() {
    for max_batch in [1, 3, 100] {
        for _ in 0..10 {
            let database = SqliteFile::migrated();
            let writer = WriterOptions::default().max_batch(max_batch).start(database.connect()).unwrap();
            let actions = record(&writer, 8, 25);
            let conflicts = actions
                .iter()
                .filter(|(_, action)| matches!(action, Response(Append { outcome: Some(Err(_)), .. })));
            assert!(conflicts.count() > 0, "the callers have not met");
            assert!(is_linearizable(actions.clone()), "{actions:?}");
        }
    }
}

#[test]
fn the_checker_finds_two_winners_and_a_conflict_with_nobody() {
    let call = |caller, expected| (caller, Call(Append { expected, outcome: None }));
    let said = |caller, expected, outcome| (caller, Response(Append { expected, outcome: Some(outcome) }));
    assert!(is_linearizable(vec![call(0, 0), call(1, 0), said(0, 0, Ok(1)), said(1, 0, Err(1))]));
    assert!(!is_linearizable(vec![call(0, 0), call(1, 0), said(0, 0, Ok(1)), said(1, 0, Ok(1))]));
    assert!(!is_linearizable(vec![call(0, 0), said(0, 0, Err(1)), call(1, 0), said(1, 0, Ok(1))]));
}
