use diesel::sqlite::SqliteConnection;

use crate::storage::blocking::blocking_executor;

blocking_executor!(SqliteConnection);
