use diesel::connection::{AnsiTransactionManager as Manager, SimpleConnection, TransactionManager};
use diesel::pg::PgConnection;
use diesel::result::QueryResult;

use crate::storage::transaction::{self, Transactions};

impl Transactions for PgConnection {
    fn depth(&mut self) -> QueryResult<u32> {
        transaction::depth(self)
    }

    fn begin(&mut self) -> QueryResult<()> {
        transaction::begin(self, "BEGIN").map(drop)
    }

    fn commit(&mut self) -> QueryResult<()> {
        Manager::commit_transaction(self)
    }

    fn roll_back_to(&mut self, depth: u32) {
        transaction::roll_back_to(self, depth, |_, _| ());
        if depth == 0 {
            // diesel takes note when somebody ends a transaction by SQL, and not when somebody begins one: such a one is
            // still open. If there is none, this does nothing.
            let _ = self.batch_execute("ROLLBACK");
        }
    }

    fn begin_loan(&mut self) -> QueryResult<()> {
        Manager::begin_transaction(self)
    }

    fn end_loan(&mut self) -> QueryResult<bool> {
        transaction::end_loan_in_savepoint(self)
    }
}
