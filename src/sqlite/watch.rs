use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use diesel::prelude::*;
use diesel::result::QueryResult;
use diesel::sql_types::{Nullable, Text};

use crate::listener::Listener;

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
    Ok(Listener::Files(files.into()))
}

pub(super) fn has_news(listener: &mut Listener) -> bool {
    let Listener::Files(files) = listener else { return false };
    files.iter_mut().map(WatchedFile::has_changed).filter(|has_changed| *has_changed).count() > 0
}
