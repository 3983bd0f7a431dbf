use diesel::mysql::MysqlConnection;

use super::interrupted::forget_interrupted;
use crate::storage::blocking::{blocking_executor, blocking_server};

blocking_executor!(MysqlConnection, refine: forget_interrupted);
blocking_server!(MysqlConnection);
