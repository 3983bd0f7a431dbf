//! What the migrations make, in their own words.

use crate::database::Database;

#[cfg(feature = "sqlite")]
const SQLITE: &str =
    include_str!("../../../../../migrations/sqlite/00000000000100-des_create_event_store/up.sql");
#[cfg(feature = "postgres")]
const POSTGRES: &str =
    include_str!("../../../../../migrations/postgres/00000000000100-des_create_event_store/up.sql");
#[cfg(feature = "mysql")]
const MYSQL: &str =
    include_str!("../../../../../migrations/mysql/00000000000100-des_create_event_store/up.sql");

/// A table or a trigger.
pub struct Made {
    pub name: String,
    /// That makes it anew.
    pub statement: String,
}

pub fn tables(conn: &Database) -> Vec<Made> {
    let indexes = |table: &str| {
        let is_on_it = format!(" ON {table} (");
        let of_it = move |it: &String| it.starts_with("CREATE INDEX ") && it.contains(&is_on_it);
        statements(conn).filter(of_it).collect::<Vec<_>>()
    };
    let mut tables = made(conn, "CREATE TABLE ");
    for table in &mut tables {
        let parts = [vec![table.statement.clone()], indexes(&table.name)].concat();
        table.statement = parts.join("\n");
    }
    tables
}

pub fn triggers(conn: &Database) -> Vec<Made> {
    made(conn, "CREATE TRIGGER ")
}

fn made(conn: &Database, create: &str) -> Vec<Made> {
    let made = |statement: String| {
        let name = statement.strip_prefix(create)?.split_whitespace().next()?.to_owned();
        Some(Made { name, statement })
    };
    statements(conn).filter_map(made).collect()
}

/// An empty line is between any two.
fn statements(conn: &Database) -> impl Iterator<Item = String> {
    migration(conn).split("\n\n").map(|paragraph| {
        let lines = paragraph.lines().map(without_comment).filter(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join("\n")
    })
}

fn without_comment(line: &str) -> &str {
    match line.trim_start().starts_with("--") {
        true => "",
        false => line.split(" -- ").next().unwrap_or_default().trim_end(),
    }
}

fn migration(conn: &Database) -> &'static str {
    match conn {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(_) => SQLITE,
        #[cfg(feature = "postgres")]
        Database::Postgres(_) => POSTGRES,
        #[cfg(feature = "mysql")]
        Database::Mysql(_) => MYSQL,
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use diesel::Connection;
    use diesel::sqlite::SqliteConnection;

    use super::{tables, triggers};
    use crate::commands::ledger::Ledger;
    use crate::database::Database;

    #[test]
    fn no_migration_is_left_out() {
        let mut conn = Database::Sqlite(SqliteConnection::establish(":memory:").unwrap());
        let read = 1;
        assert_eq!(Ledger::of(&mut conn).unwrap().pending().len(), read);
        assert_eq!((tables(&conn).len(), triggers(&conn).len()), (10, 6));
    }
}
