//! What clients of the service see, through a real HTTP client, on SQLite and on PostgreSQL.

mod http {
    pub mod database;
    pub mod killed;
    pub mod orders;
    pub mod service;
}
