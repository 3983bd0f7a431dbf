use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

use super::read;
use crate::storage::lent::Sqlite;
use crate::storage::news::{Listener, News};
use crate::storage::watched_log::WatchedLog;

#[derive(QueryableByName)]
struct Database {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    file: Option<String>,
}

impl News for Sqlite<'_> {
    /// A commit is written to the write-ahead log, or to the database itself where there is none. A database
    /// in memory has neither.
    fn listen(&mut self) -> QueryResult<Listener> {
        let databases: Vec<Database> = diesel::sql_query("PRAGMA database_list").load(self.0)?;
        let main = databases.into_iter().find(|database| database.name == "main");
        let file = main.and_then(|main| main.file).filter(|file| !file.is_empty());
        let Some(file) = file else { return Ok(Listener::Deaf) };
        Ok(Listener::Log(WatchedLog::new([format!("{file}-wal").into(), file.into()])))
    }

    fn has_news(&mut self, listener: &mut Listener) -> bool {
        let Listener::Log(log) = listener else { return false };
        // If the log cannot be read, the workers find out.
        log.is_due() && read::last_position(self.0).is_ok_and(|last_position| log.has_grown_to(last_position))
    }
}
