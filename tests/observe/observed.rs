//! The recorder and the subscriber of the whole process, which one test at a time has to itself.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use metrics_util::debugging::{DebuggingRecorder, Snapshotter};
use test_support::{Result, eventually};

use super::recorded::Figures;
use super::subscriber::Kept;

static ALONE: Mutex<()> = Mutex::new(());
static INSTALLED: OnceLock<(Snapshotter, Kept)> = OnceLock::new();

pub struct Observed {
    figures: Snapshotter,
    pub traces: Kept,
    _alone: MutexGuard<'static, ()>,
}

impl Observed {
    /// Before a test does anything, or another one is told of it.
    pub fn alone() -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let (figures, traces) = INSTALLED.get_or_init(install).clone();
        figures.snapshot();
        traces.take();
        Self { figures, traces, _alone: alone }
    }

    /// What was recorded since the last time.
    pub fn figures(&self) -> Figures {
        Figures::of(&self.figures)
    }

    /// Until there is a tracing event with this beginning, and this text behind it.
    pub fn waits_for(&self, beginning: &str, text: &str) -> Result {
        let is_it = |line: &String| line.strip_prefix(beginning).is_some_and(|rest| rest.contains(text));
        let told = eventually(beginning, || Ok(self.traces.all().iter().any(is_it)));
        told.map_err(|error| format!("{error}; there are {:#?}", self.traces.all()).into())
    }
}

fn install() -> (Snapshotter, Kept) {
    let (recorder, traces) = (DebuggingRecorder::new(), Kept::default());
    let figures = recorder.snapshotter();
    recorder.install().expect("it is the only one");
    tracing::subscriber::set_global_default(traces.clone()).expect("it is the only one");
    (figures, traces)
}
