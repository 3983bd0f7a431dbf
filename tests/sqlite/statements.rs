//! Watches, as an application can, what diesel runs on a connection.

use std::sync::{Arc, Mutex, MutexGuard};

use diesel::connection::{Connection, InstrumentationEvent};
use diesel::sqlite::SqliteConnection;

#[derive(Debug, Default)]
pub struct Statements {
    /// Every statement that was run, but those that begin or end a transaction.
    pub run: Vec<String>,
    /// Every statement that was prepared to be kept.
    pub kept: Vec<String>,
}

#[derive(Debug, Clone, Default)]
pub struct Watch(Arc<Mutex<Statements>>);

impl Watch {
    pub fn on(conn: &mut SqliteConnection) -> Self {
        let watch = Self::default();
        let noted = watch.clone();
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| noted.note(&event));
        watch
    }

    pub fn statements(&self) -> MutexGuard<'_, Statements> {
        self.0.lock().unwrap()
    }

    /// The table that the last INSERT was for.
    pub fn last_table(&self) -> Option<String> {
        self.statements().run.iter().rev().find_map(|sql| table_of_insert(sql)).map(str::to_owned)
    }

    fn note(&self, event: &InstrumentationEvent<'_>) {
        let mut statements = self.statements();
        match event {
            InstrumentationEvent::StartQuery { query, .. } => {
                let sql = sql_of(&query.to_string());
                if !is_transaction_control(&sql) {
                    statements.run.push(sql);
                }
            }
            InstrumentationEvent::CacheQuery { sql, .. } => statements.kept.push((*sql).to_owned()),
            _ => {}
        }
    }
}

/// diesel shows the values behind the statement.
fn sql_of(query: &str) -> String {
    query.split(" -- binds:").next().unwrap_or_default().to_owned()
}

fn is_transaction_control(sql: &str) -> bool {
    ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"].iter().any(|verb| sql.starts_with(verb))
}

pub fn table_of_insert(sql: &str) -> Option<&str> {
    let table = sql.strip_prefix("INSERT INTO ")?.split(' ').next()?;
    Some(table.trim_matches('`'))
}
