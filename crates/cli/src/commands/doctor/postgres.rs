use super::check::{Check, problems_of};
use super::log::behind;
use super::problem::{Advice, Problem};
use super::projections;
use crate::commands::ask::{ask, tell};
use crate::database::Database;
use crate::failure::Result;

/// Of sessions. The log may not be read because of them.
const SESSION_CHECKS: [Check; 2] = [
    Check {
        what: "row level security may hide rows from a role",
        query: "SELECT format('ALTER ROLE %I BYPASSRLS;', rolname) AS answer FROM pg_roles \
                WHERE rolcanlogin AND NOT rolsuper AND NOT rolbypassrls AND EXISTS (SELECT FROM pg_class \
                WHERE relname IN ('events', 'event_rewrites', 'event_log', 'aggregate_heads', 'append_keys', \
                'snapshots', 'projection_checkpoints', 'projection_workers', 'parked_events', 'event_seals') \
                AND relrowsecurity AND pg_table_is_visible(pg_class.oid) \
                AND has_table_privilege(pg_roles.oid, pg_class.oid, 'SELECT') \
                AND (relforcerowsecurity OR NOT pg_has_role(pg_roles.oid, relowner, 'USAGE')))",
        advice: Advice::Sql,
    },
    Check {
        what: "client_encoding is set to another one than UTF8, which a session gets when it is reset",
        query: "SELECT format('ALTER %s RESET client_encoding;', CASE \
                WHEN setdatabase = 0 AND setrole = 0 THEN 'ROLE ALL' \
                WHEN setdatabase = 0 THEN format('ROLE %I', rolname) \
                WHEN setrole = 0 THEN format('DATABASE %I', datname) \
                ELSE format('ROLE %I IN DATABASE %I', rolname, datname) END) AS answer \
                FROM pg_db_role_setting CROSS JOIN unnest(setconfig) AS setting \
                LEFT JOIN pg_roles ON pg_roles.oid = setrole LEFT JOIN pg_database ON pg_database.oid = setdatabase \
                WHERE setting ~* '^client_encoding=' AND setting !~* '=(utf-?8|unicode)$' \
                AND (setdatabase = 0 OR datname = current_database()) \
                AND (setrole = 0 OR has_table_privilege(setrole, 'events', 'SELECT'))",
        advice: Advice::Sql,
    },
];

const CHECKS: [Check; 5] = [
    Check {
        what: "what is recorded can be changed: a trigger is disabled",
        query: "SELECT format('ALTER TABLE %s ENABLE %sTRIGGER %I;', tgrelid::regclass, \
                CASE tgname WHEN 'events_refuse_insert' THEN 'ALWAYS ' ELSE '' END, tgname) AS answer \
                FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid \
                WHERE tgname LIKE 'event%\\_refuse\\_%' AND tgenabled IN ('D', 'R') \
                AND NOT tgisinternal AND pg_table_is_visible(tgrelid)",
        advice: Advice::Sql,
    },
    Check {
        what: "appends are refused: global_position is GENERATED ALWAYS",
        query: "SELECT 'repair' AS answer FROM pg_attribute WHERE attrelid = 'events'::regclass \
                AND attname = 'global_position' AND attidentity = 'a'",
        advice: Advice::Type,
    },
    Check {
        what: "the database's encoding is not UTF8, so it cannot keep every text",
        query: "SELECT 'dump it, and restore it into one that is made with TEMPLATE template0 \
                ENCODING ''UTF8''' AS answer WHERE current_setting('server_encoding') <> 'UTF8'",
        advice: Advice::Words,
    },
    Check {
        what: "a transaction was prepared more than an hour ago; if it has appended, readers wait for it",
        query: "SELECT format('either COMMIT PREPARED %L; or ROLLBACK PREPARED %L;', gid, gid) AS answer \
                FROM pg_prepared_xacts \
                WHERE database = current_database() AND prepared < now() - interval '1 hour'",
        advice: Advice::Words,
    },
    Check {
        what: "this is a standby, or transactions are not READ COMMITTED, and no position is published for \
               readers",
        query: "SELECT 'call EventStore::publish_position regularly on the primary' AS answer FROM event_log \
                WHERE published_position IS NULL AND ordering = 'fenced' \
                AND (pg_is_in_recovery() \
                OR current_setting('default_transaction_isolation') NOT LIKE 'read %')",
        advice: Advice::Words,
    },
];

/// A setting that is not as it should be.
struct Setting {
    name: &'static str,
    is_wrong: &'static str,
    right: &'static str,
    what: &'static str,
}

const SETTINGS: [Setting; 4] = [
    Setting {
        name: "fsync",
        is_wrong: "setting = 'off'",
        right: "on",
        what: "fsync is off: a crash of the machine can damage the database",
    },
    Setting {
        name: "full_page_writes",
        is_wrong: "setting = 'off'",
        right: "on",
        what: "full_page_writes is off: a crash of the machine can damage the database",
    },
    Setting {
        name: "synchronous_commit",
        is_wrong: "setting = 'off'",
        right: "on",
        what: "synchronous_commit is off: a crash of the server can lose events that were committed",
    },
    Setting {
        name: "lc_messages",
        is_wrong: "setting !~* '^(C|POSIX|en|English)?([._ @].*)?$'",
        right: "C",
        what: "the server's messages are not English, so errors are not known for what they are",
    },
];

const ASSIGNED: &str = "SELECT greatest(event_store_given_position(), counted_position, \
    (SELECT max(global_position) FROM events)) FROM event_log";

const COUNTED: &str = "SELECT CASE ordering WHEN 'gapless' THEN counted_position \
    ELSE event_store_given_position() END FROM event_log";

/// Otherwise a look at the end of the log would advance a sequence that is behind.
pub fn only_read(conn: &mut Database) -> Result {
    Ok(tell(conn, "SET default_transaction_read_only = on")?)
}

pub fn settings(conn: &mut Database) -> Result<Vec<Problem>> {
    problems_of(conn, &SESSION_CHECKS)
}

pub fn problems(conn: &mut Database) -> Result<Vec<Problem>> {
    let mut problems = projections::problems(conn, ASSIGNED)?;
    problems.extend(behind(conn, COUNTED)?);
    problems.extend(settings(conn)?);
    problems.extend(problems_of(conn, &CHECKS)?);
    for setting in &SETTINGS {
        problems.extend(of_setting(conn, setting)?);
    }
    Ok(problems)
}

/// It is mended where it was set.
fn of_setting(conn: &mut Database, setting: &Setting) -> Result<Option<Problem>> {
    let Setting { name, is_wrong, right, what } = setting;
    let mends = format!(
        "SELECT CASE source \
         WHEN 'database' THEN format('ALTER DATABASE %I RESET {name};', current_database()) \
         WHEN 'user' THEN format('ALTER ROLE %I RESET {name};', session_user) \
         WHEN 'database user' THEN format('ALTER ROLE %I IN DATABASE %I RESET {name};', session_user, \
         current_database()) \
         ELSE 'ALTER SYSTEM SET {name} = ''{right}''; SELECT pg_reload_conf();' \
         || CASE source WHEN 'command line' THEN ' -- and without the option, when the server is started' \
         ELSE '' END END FROM pg_settings WHERE name = '{name}' AND {is_wrong}"
    );
    Ok(ask(conn, &mends)?.map(|mends| Problem::sql(*what, mends)))
}
