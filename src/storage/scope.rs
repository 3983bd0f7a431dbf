/// What was opened to do several things all or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// A transaction of the operation's own.
    Transaction,
    /// A savepoint in the application's transaction.
    Savepoint,
}
