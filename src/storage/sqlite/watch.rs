use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel::sql_types::{Nullable, Text};

use super::read;
use crate::model::position::Position;
use crate::storage::listener::Listener;

/// The files of a database, and the end of the log when it was looked at last.
pub(crate) struct WatchedLog {
    files: Vec<WatchedFile>,
    last_position: Position,
    next_look: Option<(Instant, Duration)>,
}

/// A commit can be seen only after it has been written, and the longer the disk takes, the later. So the log is looked at
/// several times after a file has changed, with pauses that grow from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LAST_PAUSE: Duration = Duration::from_millis(160);

impl WatchedLog {
    /// Whether the log has grown since this was asked last. Whatever else is written, leases for instance, is no news.
    fn has_grown(&mut self, conn: &mut SqliteConnection) -> bool {
        let changed = self.files.iter_mut().map(WatchedFile::has_changed).filter(|has_changed| *has_changed);
        if changed.count() > 0 {
            self.next_look = Some((Instant::now(), FIRST_PAUSE));
        }
        let Some((when, pause)) = self.next_look else { return false };
        if when > Instant::now() {
            return false;
        }
        self.next_look = (pause <= LAST_PAUSE).then(|| (Instant::now() + pause, pause * 2));
        // If it cannot be read, the workers find out.
        let last_position = read::last_position(conn).unwrap_or(self.last_position);
        std::mem::replace(&mut self.last_position, last_position) != last_position
    }
}

/// A file, and what it was like when it was looked at last.
pub(crate) struct WatchedFile {
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

#[derive(QueryableByName)]
struct Database {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    file: Option<String>,
}

/// Whoever commits writes to the write-ahead log, or to the database itself where there is none. A database in memory has
/// neither.
pub(super) fn listen(conn: &mut SqliteConnection) -> QueryResult<Listener> {
    let databases: Vec<Database> = diesel::sql_query("PRAGMA database_list").load(conn)?;
    let file = databases.into_iter().find(|database| database.name == "main").and_then(|main| main.file);
    let Some(file) = file.filter(|file| !file.is_empty()) else { return Ok(Listener::Deaf) };
    let files = [format!("{file}-wal"), file].map(|path| WatchedFile::new(path.into()));
    Ok(Listener::Log(WatchedLog { files: files.into(), last_position: Position::START, next_look: None }))
}

pub(super) fn has_news(conn: &mut SqliteConnection, listener: &mut Listener) -> bool {
    let Listener::Log(log) = listener else { return false };
    log.has_grown(conn)
}
