#[cfg(feature = "sqlite")]
use crate::sqlite::watch::WatchedFile;

/// How somebody hears that another process has committed something, without asking the database. News may be missed, and
/// may come for nothing.
pub(crate) enum Listener {
    /// There is no way.
    #[allow(dead_code)] // Not every database needs it.
    Deaf,
    /// The files of the database change.
    #[cfg(feature = "sqlite")]
    Files(Vec<WatchedFile>),
    /// The server notifies the connection.
    #[cfg(feature = "postgres")]
    Notified,
}
