use super::ask::ask;
use super::log::behind;
use super::problem::Problem;
use crate::database::Database;
use crate::failure::Result;

/// Whether something is so, what it means, and what to do about it.
const CHECKS: [(&str, &str, &str); 6] = [
    (
        "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'events'::regclass AND tgenabled <> 'D' \
         AND tgname IN ('events_refuse_change', 'events_refuse_delete') HAVING count(*) < 2",
        "events can be changed or deleted: a trigger that refuses it is missing or disabled",
        "ALTER TABLE events ENABLE TRIGGER USER",
    ),
    (
        "SELECT 1 WHERE current_setting('fsync') = 'off'",
        "fsync is off: a crash of the machine can damage the database",
        "ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf()",
    ),
    (
        "SELECT 1 WHERE current_setting('synchronous_commit') = 'off'",
        "synchronous_commit is off: a crash of the server can lose events that were committed",
        "ALTER SYSTEM SET synchronous_commit = on; SELECT pg_reload_conf()",
    ),
    (
        "SELECT 1 WHERE current_setting('lc_messages') !~ '^(C|POSIX|en.*)?$'",
        "the server's messages are not English, so errors are not known for what they are",
        "ALTER SYSTEM SET lc_messages = 'C'; SELECT pg_reload_conf()",
    ),
    (
        "SELECT 1 FROM pg_prepared_xacts WHERE database = current_database() \
         AND prepared < now() - interval '1 hour' LIMIT 1",
        "a prepared transaction is older than an hour; if it has appended, readers and freezing wait for it",
        "SELECT gid FROM pg_prepared_xacts; then COMMIT PREPARED or ROLLBACK PREPARED",
    ),
    (
        "SELECT 1 FROM event_log WHERE published_position IS NULL \
         AND (pg_is_in_recovery() OR current_setting('default_transaction_isolation') NOT LIKE 'read %')",
        "this is a standby, or transactions are not READ COMMITTED, and no position is published for readers",
        "call EventStore::publish_position regularly on the primary",
    ),
];

pub fn problems(conn: &mut Database) -> Result<Vec<Problem>> {
    let counted = "SELECT CASE ordering WHEN 'gapless' THEN counted_position \
                   ELSE event_store_given_position() END FROM event_log";
    let mut problems: Vec<Problem> = behind(conn, counted)?.into_iter().collect();
    for (is_so, what, advice) in CHECKS {
        if ask(conn, is_so)?.is_some() {
            problems.push(Problem::new(what, advice));
        }
    }
    Ok(problems)
}
