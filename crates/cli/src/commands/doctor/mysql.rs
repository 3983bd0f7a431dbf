use super::ask::ask_number;
use super::log::behind;
use super::problem::Problem;
use crate::database::Database;
use crate::failure::Result;

/// How many there are, what that means, and what to do about it.
const CHECKS: [(&str, &str, &str); 8] = [
    (
        "SELECT 2 - COUNT(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE() \
         AND trigger_name IN ('events_refuse_update', 'events_refuse_delete')",
        "events can be changed or deleted: a trigger that refuses it is missing",
        "create it again, as the migration des_create_event_store does",
    ),
    (
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() \
         AND engine <> 'InnoDB' AND table_comment = 'diesel_event_store'",
        "a table is not in InnoDB, so it takes no part in transactions",
        "ALTER TABLE … ENGINE = InnoDB",
    ),
    (
        "SELECT COUNT(*) FROM event_fence WHERE ordering = 'fenced' AND server_id <> @@server_id",
        "events were appended on another server, and the ordering is for one",
        "append there; after a fail-over, type: diesel-event-store repair",
    ),
    (
        "SELECT COUNT(*) FROM /*M! information_schema.global_variables */ \
         /*!80017 performance_schema.global_variables */ WHERE variable_name = 'wsrep_on' \
         AND variable_value = 'ON' AND EXISTS (SELECT * FROM event_fence WHERE ordering = 'fenced')",
        "this is a node of a cluster, and the ordering is for one server",
        "call EventStore::set_log_ordering with LogOrdering::Gapless",
    ),
    (
        "SELECT @@innodb_flush_log_at_trx_commit <> 1",
        "innodb_flush_log_at_trx_commit is not 1: a crash can lose events that were committed",
        "SET GLOBAL innodb_flush_log_at_trx_commit = 1, and the same in the server's configuration",
    ),
    (
        "SELECT @@log_bin = 1 AND @@sync_binlog <> 1",
        "sync_binlog is not 1: after a crash, replicas can have other events than this server",
        "SET GLOBAL sync_binlog = 1, and the same in the server's configuration",
    ),
    (
        "SELECT @@log_bin = 1 AND @@binlog_format = 'STATEMENT'",
        "binlog_format is STATEMENT, in which nothing can be appended in READ COMMITTED",
        "SET GLOBAL binlog_format = 'ROW', and the same in the server's configuration",
    ),
    (
        "SELECT @@sql_mode NOT LIKE '%STRICT%'",
        "sql_mode is not strict: what does not fit is cut instead of refused",
        "SET GLOBAL sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES')",
    ),
];

pub fn problems(conn: &mut Database) -> Result<Vec<Problem>> {
    let counted = "SELECT CASE ordering WHEN 'gapless' THEN last_position \
                   ELSE (SELECT MAX(global_position) FROM events) END \
                   FROM event_log, event_fence WHERE id = 1 AND slot = 0";
    let mut problems: Vec<Problem> = behind(conn, counted)?.into_iter().collect();
    for (count, what, advice) in CHECKS {
        if ask_number(conn, count)? > 0 {
            problems.push(Problem::new(what, advice));
        }
    }
    Ok(problems)
}
