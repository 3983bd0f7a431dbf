#[cfg(feature = "sqlite")]
use crate::storage::sqlite::watch::WatchedLog;

/// How somebody hears that another process has committed something, without asking the database all the time. News may be missed, and
/// may come for nothing.
pub(crate) enum Listener {
    /// There is no way.
    #[allow(dead_code)] // Not every database needs it.
    Deaf,
    /// The files of the database change, and then the log has grown.
    #[cfg(feature = "sqlite")]
    Log(WatchedLog),
    /// The server notifies the connection.
    #[cfg(feature = "postgres")]
    Notified,
}
