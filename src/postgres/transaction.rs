use diesel::pg::PgConnection;

use crate::transaction::transactions;

transactions! { for PgConnection; begin: "BEGIN"; before_rollback: |_, _| () }
