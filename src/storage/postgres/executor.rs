use diesel::pg::PgConnection;

use crate::storage::blocking::{blocking_executor, blocking_server};

blocking_executor!(PgConnection);
blocking_server!(PgConnection);
