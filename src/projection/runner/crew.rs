use std::error::Error as StdError;
use std::time::Duration;

use diesel::result::QueryResult;

use crate::projection::link::{Lends, Link};

pub(in crate::projection) type BoxError = Box<dyn StdError + Send + Sync>;

/// An error of the application may panic when it is asked what it is: then it does so here, where that is
/// caught.
pub(in crate::projection) fn try_out(error: &BoxError) {
    let _ = error.to_string();
}

/// What a runner does its work with: threads on connections that block, or tasks on connections that are
/// awaited.
pub(in crate::projection) trait Crew: Sized + 'static {
    type Conn: 'static;
    type Kind: Lends;
    type Link: Link<Conn = Self::Conn, Kind = Self::Kind>;
    /// How the application opens connections.
    type Connect: Send + Sync;
    /// How news from other processes come.
    type Listener;

    /// How often it is looked whether another process has news. Default: never.
    const LISTEN_EVERY: Duration = Duration::MAX;

    /// A panic of the application's function is an error.
    fn connect(connect: &Self::Connect) -> impl Future<Output = Result<Self::Link, BoxError>>;

    fn listen(conn: &mut Self::Link) -> QueryResult<Self::Listener>;

    /// Whether another process has committed something since this was asked last.
    fn has_news(conn: &mut Self::Link, listener: &mut Self::Listener) -> bool;
}
