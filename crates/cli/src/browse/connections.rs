use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::database::{Access, Database};
use crate::failure::{Failure, Result};
use crate::secrets::{Secrets, shown};

/// How many pages are read from the database at once; others wait.
const MOST: usize = 4;

/// A few connections, which refuse to change anything. Those that have failed are not used again, so that a
/// database which has been away is found when it is back.
#[derive(Clone)]
pub struct Connections {
    url: Arc<str>,
    idle: Arc<Mutex<Vec<Database>>>,
    room: Arc<Semaphore>,
}

impl Connections {
    /// Opens the first, so that the command fails at once if it cannot be opened.
    pub fn to(url: Option<&str>) -> Result<Self> {
        let first = Database::open(url, Access::Look)?;
        let url = url.unwrap_or_default().into();
        Ok(Self { url, idle: Arc::new(Mutex::new(vec![first])), room: Arc::new(Semaphore::new(MOST)) })
    }

    /// The database as it may be shown.
    pub fn shown(&self) -> String {
        shown(&self.url)
    }

    /// Reads on a thread that may block.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Database) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let room = Arc::clone(&self.room).acquire_owned().await;
        let connections = self.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let _room = room;
            connections.read_now(work)
        });
        let answer = reading.await.unwrap_or_else(|error| Err(Failure::new("panicked", error)));
        answer.map_err(|failure| failure.map(|text| Secrets::of([&self.url]).hide(text)))
    }

    fn read_now<T>(&self, work: impl FnOnce(&mut Database) -> Result<T>) -> Result<T> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut conn = idle.map_or_else(|| Database::open(Some(&self.url), Access::Look), Ok)?;
        let answer = work(&mut conn)?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
        Ok(answer)
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use diesel::connection::SimpleConnection;

    use super::*;

    #[test]
    fn nothing_can_be_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db").display().to_string();
        let mut conn = Database::open(Some(&path), Access::Create).unwrap();
        diesel_event_store::run_pending_migrations(&mut conn).unwrap();
        let connections = Connections::to(Some(&path)).unwrap();
        let write = |conn: &mut Database| match conn {
            Database::Sqlite(conn) => Ok(conn.batch_execute("DELETE FROM aggregate_heads")?),
            #[cfg(any(feature = "postgres", feature = "mysql"))]
            _ => unreachable!("it is a file"),
        };
        let failure = connections.read_now(write).unwrap_err();
        assert!(failure.to_string().contains("readonly"), "{failure}");
        connections.read_now(|conn| Ok(diesel_event_store::EventStore::new().last_position(conn)?)).unwrap();
    }
}
