use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;

use crate::transaction::transactions;

/// diesel takes note when somebody ends a transaction by SQL, and not when somebody begins one: such a one is still open. If
/// there is none, this does nothing.
fn end_unknown_transaction(conn: &mut PgConnection) {
    let _ = conn.batch_execute("ROLLBACK");
}

transactions! { for PgConnection; begin: "BEGIN"; before_rollback: |_, _| (); after_last: end_unknown_transaction }
