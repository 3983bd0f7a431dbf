use test_support::TestDatabase;

/// A database that the diesel command knows.
pub trait CliDatabase: TestDatabase {
    /// In this crate.
    const CONFIG: &str;
    /// In this crate.
    const MIGRATIONS: &str;
    /// In this crate.
    const SCHEMA: &str;
    /// The event store's tables, sorted.
    const OUR_TABLES: &[&str] = &[
        "aggregate_heads",
        "append_keys",
        "event_log",
        "event_rewrites",
        "event_seals",
        "events",
        "parked_events",
        "projection_checkpoints",
        "projection_workers",
        "snapshots",
    ];
    /// A query for the `name` of every table.
    const TABLES: &str;
}

#[cfg(feature = "postgres")]
impl CliDatabase for test_support::Postgres {
    const CONFIG: &str = "diesel.postgres.toml";
    const MIGRATIONS: &str = "migrations/postgres";
    const SCHEMA: &str = "src/schema/postgres.rs";
    const TABLES: &str = "SELECT tablename::TEXT AS name FROM pg_tables WHERE schemaname = current_schema()";
}

#[cfg(feature = "mysql")]
impl CliDatabase for test_support::Mysql {
    const CONFIG: &str = "diesel.mysql.toml";
    const MIGRATIONS: &str = "migrations/mysql";
    const SCHEMA: &str = "src/schema/mysql.rs";
    const OUR_TABLES: &[&str] = &[
        "aggregate_heads",
        "append_keys",
        "event_fence",
        "event_log",
        "event_rewrites",
        "event_seals",
        "events",
        "parked_events",
        "projection_checkpoints",
        "projection_workers",
        "snapshots",
    ];
    const TABLES: &str =
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()";
}

#[cfg(feature = "sqlite")]
impl CliDatabase for test_support::Sqlite {
    const CONFIG: &str = "diesel.toml";
    const MIGRATIONS: &str = "migrations/sqlite";
    const SCHEMA: &str = "src/schema/sqlite.rs";
    const TABLES: &str =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
}
