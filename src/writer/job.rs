use diesel::sqlite::SqliteConnection;

use super::error::WriterError;

/// What a caller has sent, and the way back to the caller, who is told nothing before the commit.
pub(super) trait Job: Send {
    /// Whether it can run again after it was rolled back.
    fn is_repeatable(&self) -> bool {
        false
    }

    /// Does the work of a repeatable job without a savepoint. If it returns `false`, a part of the work may
    /// remain.
    fn attempt(&mut self, _conn: &mut SqliteConnection) -> bool {
        false
    }

    /// Does the work. Returns whether to keep it; otherwise the caller rolls it back.
    fn run(&mut self, conn: &mut SqliteConnection) -> bool;

    /// The work is rolled back for this reason, whatever its result was.
    fn reject(&mut self, error: WriterError);

    /// The transaction is committed.
    fn committed(self: Box<Self>);

    /// The transaction was rolled back or never begun. The job's own result does not count either: a conflict
    /// may be with events of the same transaction, which are gone.
    fn failed(self: Box<Self>, error: WriterError);
}
