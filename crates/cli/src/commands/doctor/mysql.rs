use super::check::{Check, problems_of};
use super::log::behind;
use super::problem::{Advice, Problem};
use super::projections;
use crate::commands::ask::{ask_number, tell};
use crate::database::Database;
use crate::failure::Result;
use crate::output::number;

/// What is set while a server runs lasts until it ends.
macro_rules! set_global {
    ($setting:literal, $is_wrong:literal) => {
        concat!(
            "SELECT 'SET GLOBAL ",
            $setting,
            "; -- and the same in the server''s configuration' AS answer FROM DUAL WHERE ",
            $is_wrong
        )
    };
}

const CHECKS: [Check; 14] = [
    Check {
        what: "a table is not in InnoDB, so it takes no part in transactions",
        query: "SELECT CONCAT('ALTER TABLE ', table_name, ' ENGINE = InnoDB;') AS answer \
                FROM information_schema.tables WHERE table_schema = DATABASE() \
                AND table_comment = 'diesel_event_store' AND engine <> 'InnoDB'",
        advice: Advice::Sql,
    },
    Check {
        what: "a table has another character set or collation than it was made with, which cannot keep every \
               text, or takes different names for the same",
        query: "SELECT DISTINCT CONCAT('ALTER TABLE ', table_name, \
                ' CONVERT TO CHARACTER SET utf8mb4 COLLATE ', \
                /*M! 'utf8mb4_nopad_bin' */ /*!80017 'utf8mb4_0900_bin' */, ';') AS answer \
                FROM information_schema.tables \
                JOIN information_schema.columns USING (table_schema, table_name) \
                WHERE table_schema = DATABASE() AND table_comment = 'diesel_event_store' \
                AND table_name NOT IN ('event_log', 'event_fence') \
                AND collation_name NOT IN ('utf8mb4_nopad_bin', 'utf8mb4_0900_bin', 'ascii_bin')",
        advice: Advice::Sql,
    },
    Check {
        what: "events.global_position has lost AUTO_INCREMENT, so that no event is given a position",
        query: "SELECT 'repair' AS answer FROM information_schema.columns WHERE table_schema = DATABASE() \
                AND table_name = 'events' AND column_name = 'global_position' \
                AND extra NOT LIKE '%auto_increment%'",
        advice: Advice::Type,
    },
    Check {
        what: "events were appended on another server, and the ordering is for one",
        query: "SELECT 'append there; after a fail-over, type: diesel-event-store repair' AS answer \
                FROM event_fence WHERE slot = 0 AND ordering = 'fenced' AND server_id <> @@server_id \
                AND CAST(@@global.read_only AS CHAR) IN ('0', 'OFF')",
        advice: Advice::Words,
    },
    Check {
        what: "the server is read-only: nothing can be appended",
        query: "SELECT 'SET GLOBAL read_only = 0; -- unless it is a replica' AS answer FROM event_fence \
                WHERE slot = 0 AND (ordering = 'gapless' OR server_id = @@server_id) \
                AND CAST(@@global.read_only AS CHAR) NOT IN ('0', 'OFF')",
        advice: Advice::Sql,
    },
    Check {
        what: "this is a node of a cluster, and the ordering is for one server",
        query: "SELECT 'call EventStore::set_log_ordering with LogOrdering::Gapless' AS answer \
                FROM /*M! information_schema.global_variables */ \
                /*!80017 performance_schema.global_variables */ \
                WHERE variable_name = 'wsrep_on' AND variable_value = 'ON' \
                AND EXISTS (SELECT * FROM event_fence WHERE ordering = 'fenced')",
        advice: Advice::Words,
    },
    Check {
        what: "autocommit is off: every statement begins a transaction that diesel does not know, and what \
               has to be outside of one is refused",
        query: set_global!("autocommit = 1", "@@autocommit = 0"),
        advice: Advice::Sql,
    },
    Check {
        what: "transactions are SERIALIZABLE: whoever reads keeps others from appending until it has ended",
        query: set_global!(
            "TRANSACTION ISOLATION LEVEL READ COMMITTED",
            "/*M! @@tx_isolation */ /*!80017 @@transaction_isolation */ = 'SERIALIZABLE'"
        ),
        advice: Advice::Sql,
    },
    Check {
        what: "innodb_flush_log_at_trx_commit is not 1: a crash can lose events that were committed",
        query: set_global!("innodb_flush_log_at_trx_commit = 1", "@@innodb_flush_log_at_trx_commit <> 1"),
        advice: Advice::Sql,
    },
    Check {
        what: "sync_binlog is not 1: after a crash, replicas can have other events than this server",
        query: set_global!("sync_binlog = 1", "@@log_bin = 1 AND @@sync_binlog <> 1"),
        advice: Advice::Sql,
    },
    Check {
        what: "binlog_format is STATEMENT, in which nothing can be appended in READ COMMITTED",
        query: set_global!("binlog_format = ''ROW''", "@@log_bin = 1 AND @@binlog_format = 'STATEMENT'"),
        advice: Advice::Sql,
    },
    Check {
        what: "sql_mode is not strict: what does not fit is cut instead of refused",
        query: set_global!(
            "sql_mode = CONCAT(@@GLOBAL.sql_mode, '',STRICT_TRANS_TABLES'')",
            "@@sql_mode NOT LIKE '%STRICT%'"
        ),
        advice: Advice::Sql,
    },
    Check {
        what: "lc_messages is not English: most errors are not told apart, so a deadlock is not run again",
        query: set_global!("lc_messages = ''en_US''", "@@lc_messages NOT LIKE 'en%'"),
        advice: Advice::Sql,
    },
    Check {
        what: "max_allowed_packet is below 16 MiB: larger events are refused, and so is an import of them",
        query: set_global!("max_allowed_packet = 67108864", "@@max_allowed_packet < 16777216"),
        advice: Advice::Sql,
    },
];

/// To create the trigger commits, so a `freeze` that is killed can leave it out.
const NOT_GUARDED: Check = Check {
    what: "the log is frozen, and what is inserted by SQL is not refused: the trigger events_refuse_insert is \
           missing",
    query: "SELECT 'freeze again --yes' AS answer FROM event_log WHERE id = 1 AND state = 'frozen' \
            AND NOT EXISTS (SELECT * FROM information_schema.triggers \
            WHERE trigger_schema = DATABASE() AND trigger_name = 'events_refuse_insert')",
    advice: Advice::Type,
};

/// If others open the log at the same time, a `freeze` that is killed can leave it there.
const NOT_LET_GO: Check = Check {
    what: "the log is not frozen, and every event is refused: the trigger events_refuse_insert is left",
    query: "SELECT 'DROP TRIGGER events_refuse_insert;' AS answer FROM event_log WHERE id = 1 \
            AND state <> 'frozen' AND EXISTS (SELECT * FROM information_schema.triggers \
            WHERE trigger_schema = DATABASE() AND trigger_name = 'events_refuse_insert')",
    advice: Advice::Sql,
};

/// As far as it is known, here and for readers.
const ASSIGNED: &str = "SELECT GREATEST(safe_position, draining_position, last_position, \
    (SELECT COALESCE(MAX(global_position), 0) FROM events)) FROM event_log WHERE id = 1";

const COUNTED: &str = "SELECT CASE ordering WHEN 'gapless' THEN last_position \
    ELSE (SELECT MAX(global_position) FROM events) END \
    FROM event_log, event_fence WHERE id = 1 AND slot = 0";

/// Up to where readers may have come.
const READ: &str = "SELECT GREATEST(safe_position, draining_position) FROM event_log, event_fence \
    WHERE id = 1 AND slot = 0 AND ordering = 'fenced'";

const AUTO_INCREMENT: &str = "SELECT auto_increment FROM information_schema.tables \
    WHERE table_schema = DATABASE() AND table_name = 'events'";

pub fn problems(conn: &mut Database) -> Result<Vec<Problem>> {
    let mut problems = projections::problems(conn, ASSIGNED)?;
    problems.extend(behind(conn, COUNTED)?);
    problems.extend(behind_readers(conn)?);
    problems.extend(settings(conn)?);
    if shows_triggers(conn)? {
        problems.extend(problems_of(conn, &[NOT_GUARDED, NOT_LET_GO])?);
    }
    Ok(problems)
}

pub fn settings(conn: &mut Database) -> Result<Vec<Problem>> {
    problems_of(conn, &CHECKS)
}

/// The newest events were removed, or an older state of their table was restored: readers would not see what
/// is appended now.
fn behind_readers(conn: &mut Database) -> Result<Option<Problem>> {
    // MySQL would answer with what was so a day ago.
    tell(conn, "/*!80017 SET SESSION information_schema_stats_expiry = 0 */")?;
    let read = ask_number(conn, READ)?;
    let next = ask_number(conn, AUTO_INCREMENT)?;
    let what = format!(
        "next position {} is not above {}, to which readers have come: they would not see what is appended",
        number(next),
        number(read)
    );
    Ok((next > 0 && next <= read).then(|| Problem::to_type(what, "repair")))
}

/// It shows triggers only to those who may make some.
pub fn shows_triggers(conn: &mut Database) -> Result<bool> {
    let granted = "SELECT COUNT(*) FROM (SELECT privilege_type FROM information_schema.user_privileges \
                   UNION SELECT privilege_type FROM information_schema.schema_privileges \
                   UNION SELECT privilege_type FROM information_schema.table_privileges) AS granted \
                   WHERE privilege_type = 'TRIGGER'";
    Ok(ask_number(conn, granted)? > 0)
}

/// Its clients end a statement at the first semicolon, unless they are told otherwise.
pub fn typed(statement: String) -> String {
    match statement.trim_end_matches(';').contains(';') {
        true => format!("DELIMITER //\n{statement}//\nDELIMITER ;"),
        false => statement,
    }
}
