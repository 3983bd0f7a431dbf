//! How migrations are applied on a server. `diesel_migrations` applies them only on connections that block.

use diesel::backend::Backend;
use diesel::migration::MigrationVersion;
use diesel::sql_types::Text;

use crate::storage::migrations::{MigrationError, Source};
use crate::storage::server::Server;
use crate::storage::sql::dialect::Dialect;
use crate::storage::sql::statement::statement;

statement! {
    for every database;
    SelectApplied -> Text,
    "SELECT version FROM __diesel_schema_migrations{all}"
}

statement! {
    for every database;
    InsertApplied<'a> { version: &'a str => bind_text },
    "INSERT INTO __diesel_schema_migrations (version) VALUES (?)"
}

/// The migrations for one server, with the SQL of each.
pub(crate) struct ServerSource {
    pub(crate) source: Source,
    pub(crate) sql: &'static [(&'static str, &'static str)],
}

impl ServerSource {
    /// The versions that the database does not have yet.
    pub(crate) fn pending<DB: Backend>(&self, applied: Vec<String>) -> Result<Vec<String>, MigrationError> {
        let applied: Vec<_> = applied.into_iter().map(MigrationVersion::from).collect();
        let pending = self.source.not_applied::<DB>(&applied)?;
        Ok(pending.iter().map(|migration| migration.name().version().to_string()).collect())
    }

    /// Applies them and returns their versions. The caller makes sure that no other connection does so at the
    /// same time.
    pub(crate) async fn apply<C>(
        &self,
        conn: &mut C,
        pending: Vec<String>,
    ) -> Result<Vec<String>, MigrationError>
    where
        C: Server,
        C::Backend: Dialect,
    {
        for version in &pending {
            let (_, sql) = self.sql.iter().find(|(known, _)| known == version).expect("all are listed");
            conn.batch(sql).await.map_err(|error| self.source.refused(error))?;
            conn.execute(InsertApplied { version }).await?;
        }
        Ok(pending)
    }
}
