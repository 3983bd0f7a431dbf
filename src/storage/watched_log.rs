use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use crate::model::position::Position;

/// The files of a database, and the end of the log when it was looked at last.
pub(crate) struct WatchedLog {
    files: Vec<WatchedFile>,
    last_position: Position,
    next_look: Option<(Instant, Duration)>,
}

/// A commit can be seen only after it has been written, and the longer the disk takes, the later. So the log
/// is looked at several times after a file has changed, with pauses that grow from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LAST_PAUSE: Duration = Duration::from_millis(160);

impl WatchedLog {
    pub(crate) fn new(files: impl IntoIterator<Item = PathBuf>) -> Self {
        let files = files.into_iter().map(WatchedFile::new).collect();
        Self { files, last_position: Position::START, next_look: None }
    }

    /// Whether it is time to look at the end of the log.
    pub(crate) fn is_due(&mut self) -> bool {
        let changed = self.files.iter_mut().map(WatchedFile::has_changed).filter(|has_changed| *has_changed);
        if changed.count() > 0 {
            self.next_look = Some((Instant::now(), FIRST_PAUSE));
        }
        let Some((when, pause)) = self.next_look else { return false };
        if when > Instant::now() {
            return false;
        }
        self.next_look = (pause <= LAST_PAUSE).then(|| (Instant::now() + pause, pause * 2));
        true
    }

    /// Whether the log has grown since it was looked at last. Whatever else is written, leases for instance,
    /// is no news.
    pub(crate) fn has_grown_to(&mut self, last_position: Position) -> bool {
        std::mem::replace(&mut self.last_position, last_position) != last_position
    }
}

/// A file, and what it was like when it was looked at last.
struct WatchedFile {
    path: PathBuf,
    seen: Option<(u64, SystemTime)>,
}

impl WatchedFile {
    fn new(path: PathBuf) -> Self {
        let mut file = Self { path, seen: None };
        file.has_changed();
        file
    }

    /// Since this was asked last.
    fn has_changed(&mut self) -> bool {
        let now = fs::metadata(&self.path).and_then(|file| Ok((file.len(), file.modified()?))).ok();
        std::mem::replace(&mut self.seen, now) != now
    }
}
