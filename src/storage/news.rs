use diesel::result::QueryResult;

use crate::storage::lent::Blocking;
use crate::storage::operations::dispatch;
#[cfg(feature = "sqlite")]
use crate::storage::watched_log::WatchedLog;

/// Notices that another process has committed something, without asking the database all the time. A notice
/// may be missed, and may come for nothing. Only connections that block can be listened on.
pub(crate) trait News {
    /// Begins to listen.
    fn listen(&mut self) -> QueryResult<Listener>;

    /// Whether another process has committed something since this was asked last.
    fn has_news(&mut self, listener: &mut Listener) -> bool;
}

/// How notices come.
pub(crate) enum Listener {
    /// They do not: the log has to be read to find out.
    #[cfg(any(feature = "sqlite", feature = "mysql"))]
    Deaf,
    /// The files of the database change, and then the log has grown.
    #[cfg(feature = "sqlite")]
    Log(WatchedLog),
    /// The server notifies the connection.
    #[cfg(feature = "postgres")]
    Notified,
}

impl Blocking<'_> {
    pub(crate) fn listen(&mut self) -> QueryResult<Listener> {
        dispatch!(self, database => database.listen())
    }

    pub(crate) fn has_news(&mut self, listener: &mut Listener) -> bool {
        dispatch!(self, database => database.has_news(listener))
    }
}
