use diesel_async::AsyncMysqlConnection;

use crate::storage::asynchronous::server::give_up;

/// A connection to MySQL or MariaDB, for one operation. The server answers one statement after the other, so
/// when a future is dropped that waits for an answer, the next statement would take that answer for its own.
/// The connection is given up instead. Whatever waits while a transaction or a savepoint is open waits for an
/// answer, so none of them is forgotten, either.
pub(crate) struct InTurn<'c> {
    pub(crate) conn: &'c mut AsyncMysqlConnection,
    pub(crate) answer: Answer,
}

/// What the server was asked last.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    is_due: bool,
}

impl<'c> InTurn<'c> {
    pub(crate) fn new(conn: &'c mut AsyncMysqlConnection) -> Self {
        Self { conn, answer: Answer::default() }
    }
}

impl Answer {
    /// Waits for it.
    pub(crate) async fn of<T>(&mut self, statement: impl Future<Output = T>) -> T {
        self.is_due = true;
        let answer = statement.await;
        self.is_due = false;
        answer
    }
}

impl Drop for InTurn<'_> {
    fn drop(&mut self) {
        if self.answer.is_due {
            give_up(self.conn);
        }
    }
}
