use diesel::sqlite::SqliteConnection;

use super::error::WriterError;

/// What a caller has sent, and whom to tell what came of it. Nobody hears of it before the commit.
pub(super) trait Job: Send {
    /// Whether it can be run again after it was rolled back.
    fn is_repeatable(&self) -> bool {
        false
    }

    /// Does the work of a job that is repeatable, without a savepoint. If this fails, a part may be there.
    fn attempt(&mut self, _conn: &mut SqliteConnection) -> bool {
        false
    }

    /// Does the work. Whether its part is to be kept; if not, it is to be rolled back.
    fn run(&mut self, conn: &mut SqliteConnection) -> bool;

    /// Its part is rolled back for this reason, whatever the work came to.
    fn reject(&mut self, error: WriterError);

    /// The transaction is committed.
    fn committed(self: Box<Self>);

    /// Nothing of the transaction is there, or it was never begun. What the work came to does not count either: a
    /// conflict may be one with somebody whose events are gone.
    fn failed(self: Box<Self>, error: WriterError);
}
