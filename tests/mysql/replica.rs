//! Readers of a replica, which does not have the locks of those who append.

use diesel::connection::SimpleConnection;
use diesel::mysql::MysqlConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_event_store::{DatabaseErrorKind, LogOrdering, Position, run_pending_migrations};
use test_support::private_server::PrivateServer;
use test_support::{Result, eventually};

use super::database::{Database, STORE, append, begin, commit, is_mariadb, kind_of, log, number, text};
use super::proxy;

#[derive(QueryableByName)]
struct BinaryLog {
    #[diesel(sql_type = Text, column_name = "File")]
    file: String,
    #[diesel(sql_type = BigInt, column_name = "Position")]
    position: i64,
}

/// Two servers of the kind that the tests run on. Both may be written, which is the default.
struct Pair {
    primary: PrivateServer,
    replica: PrivateServer,
    is_mariadb: bool,
}

impl Pair {
    fn start() -> Result<Self> {
        let is_mariadb = is_mariadb(&mut Database::empty()?.connect()?)?;
        let kind = if is_mariadb { "mariadb" } else { "mysql" };
        let primary = PrivateServer::start(kind, &["--server-id=1"])?;
        let replica = PrivateServer::start(kind, &["--server-id=2"])?;
        let pair = Self { primary, replica, is_mariadb };
        let mut conn = pair.on_primary()?;
        conn.batch_execute("CREATE USER 'replica'@'%'; GRANT REPLICATION SLAVE ON *.* TO 'replica'@'%'")?;
        pair.follow(&mut conn, &mut pair.on_replica()?)?;
        run_pending_migrations(&mut conn)?;
        pair.replay()?;
        Ok(pair)
    }

    fn follow(&self, source: &mut MysqlConnection, replica: &mut MysqlConnection) -> Result {
        let BinaryLog { file, position } = self.end_of_binary_log(source)?;
        let port = number(source, "@@port")?;
        replica.batch_execute(&if self.is_mariadb {
            format!(
                "CHANGE MASTER TO master_host='127.0.0.1', master_port={port}, master_user='replica', \
                 master_log_file='{file}', master_log_pos={position}; START SLAVE"
            )
        } else {
            format!(
                "CHANGE REPLICATION SOURCE TO source_host='127.0.0.1', source_port={port}, \
                 source_user='replica', source_log_file='{file}', source_log_pos={position}, \
                 get_source_public_key=1; START REPLICA"
            )
        })?;
        Ok(())
    }

    fn end_of_binary_log(&self, conn: &mut MysqlConnection) -> Result<BinaryLog> {
        // MySQL does not prepare its SHOW.
        let show = if self.is_mariadb {
            "SHOW MASTER STATUS"
        } else {
            "SELECT JSON_UNQUOTE(JSON_EXTRACT(local, '$.binary_log_file')) AS File, \
             CAST(JSON_EXTRACT(local, '$.binary_log_position') AS SIGNED) AS Position \
             FROM performance_schema.log_status"
        };
        Ok(diesel::sql_query(show).get_result(conn)?)
    }

    fn on_primary(&self) -> Result<MysqlConnection> {
        Ok(MysqlConnection::establish(self.primary.url())?)
    }

    fn on_replica(&self) -> Result<MysqlConnection> {
        Ok(MysqlConnection::establish(self.replica.url())?)
    }

    /// The replica gets no further.
    fn pause(&self) -> Result {
        let word = if self.is_mariadb { "SLAVE" } else { "REPLICA" };
        Ok(self.on_replica()?.batch_execute(&format!("STOP {word}"))?)
    }

    fn go_on(&self) -> Result {
        let word = if self.is_mariadb { "SLAVE" } else { "REPLICA" };
        Ok(self.on_replica()?.batch_execute(&format!("START {word}"))?)
    }

    /// Waits until the replica has all that is committed on the primary now.
    fn replay(&self) -> Result {
        let BinaryLog { file, position } = self.end_of_binary_log(&mut self.on_primary()?)?;
        let wait = if self.is_mariadb { "MASTER_POS_WAIT" } else { "SOURCE_POS_WAIT" };
        let waited = text(&mut self.on_replica()?, &format!("{wait}('{file}', {position}, 60)"))?;
        match waited.parse() {
            Ok(0..) => Ok(()),
            _ => Err(format!("the replica has stopped: {waited}").into()),
        }
    }
}

fn published(conn: &mut MysqlConnection) -> Result<i64> {
    number(conn, "(SELECT safe_position FROM event_log)")
}

#[test]
fn readers_of_a_replica_that_may_be_written_miss_nothing() -> Result {
    let pair = Pair::start()?;
    let (mut slow, mut fast, mut reader) = (pair.on_primary()?, pair.on_primary()?, pair.on_replica()?);
    append(&mut fast, "unpublished")?;
    pair.replay()?;
    let refused = STORE.last_position(&mut reader).expect_err("nothing is published");
    assert_eq!(kind_of(refused), DatabaseErrorKind::NotPublished);

    let before = STORE.publish_position(&mut fast)?;
    begin(&mut slow)?;
    append(&mut slow, "late")?;
    append(&mut fast, "early")?;
    pair.replay()?;
    assert_eq!(log(&mut reader)?, ["unpublished"]);
    assert_eq!(published(&mut reader)?, before.get(), "nothing is written on a replica");
    commit(&mut slow)?;
    pair.replay()?;
    assert_eq!(log(&mut reader)?, ["unpublished"]);

    STORE.publish_position(&mut fast)?;
    pair.replay()?;
    assert_eq!(log(&mut reader)?, ["unpublished", "late", "early"]);
    Ok(())
}

#[test]
fn the_log_goes_on_after_a_fail_over_to_a_replica() -> Result {
    let pair = Pair::start()?;
    let mut primary = pair.on_primary()?;
    append(&mut primary, "published")?;
    STORE.publish_position(&mut primary)?;
    append(&mut primary, "before")?;
    begin(&mut primary)?;
    append(&mut primary, "never committed")?;
    pair.replay()?;
    pair.primary.kill()?;

    let (mut conn, mut reader) = (pair.on_replica()?, pair.on_replica()?);
    assert_eq!(log(&mut reader)?, ["published"]);
    begin(&mut conn)?;
    append(&mut conn, "slow")?;
    // The first append makes the server known, and others wait for it that once.
    assert_eq!(log(&mut reader)?, ["published"]);
    commit(&mut conn)?;
    assert_eq!(log(&mut reader)?, ["published", "before", "slow"]);

    begin(&mut conn)?;
    append(&mut conn, "late")?;
    append(&mut pair.on_replica()?, "early")?;
    assert_eq!(log(&mut reader)?, ["published", "before", "slow"]);
    commit(&mut conn)?;
    assert_eq!(log(&mut reader)?, ["published", "before", "slow", "late", "early"]);
    Ok(())
}

/// Each follows the other, as for a fail-over in both directions, and both count in steps.
#[test]
fn of_two_servers_that_follow_each_other_only_one_appends() -> Result {
    let pair = Pair::start()?;
    let (mut here, mut there) = (pair.on_primary()?, pair.on_replica()?);
    there.batch_execute(
        "CREATE USER IF NOT EXISTS 'replica'@'%'; GRANT REPLICATION SLAVE ON *.* TO 'replica'@'%'",
    )?;
    pair.follow(&mut there, &mut here)?;
    for (conn, offset) in [(&mut here, 1), (&mut there, 2)] {
        conn.batch_execute(&format!(
            "SET SESSION auto_increment_increment = 2; SET SESSION auto_increment_offset = {offset}"
        ))?;
    }
    append(&mut here, "here")?;
    pair.replay()?;
    let refused = append(&mut there, "there").expect_err("events are appended on the other one");
    assert_eq!(kind_of(refused), DatabaseErrorKind::OtherServer);

    // The other one takes no more writes.
    STORE.repair(&mut there)?;
    append(&mut there, "there")?;
    assert_eq!(log(&mut there)?, ["here", "there"]);
    eventually("the first follows the second", || {
        Ok(number(&mut here, "(SELECT COUNT(*) FROM events)")? == 2)
    })?;
    let refused = append(&mut here, "here").expect_err("events are appended on the other one now");
    assert_eq!(kind_of(refused), DatabaseErrorKind::OtherServer);
    Ok(())
}

/// It asks the server where the log ends, and is given the events by the replica, which is behind.
#[test]
fn a_reader_behind_a_proxy_that_splits_reads_from_writes_misses_nothing() -> Result {
    let pair = Pair::start()?;
    let mut writer = pair.on_primary()?;
    let port = proxy::between(number(&mut writer, "@@port")?, number(&mut pair.on_replica()?, "@@port")?)?;
    let (_, name) = pair.primary.url().rsplit_once('/').ok_or("a database")?;
    let mut reader = MysqlConnection::establish(&format!("mysql://root@127.0.0.1:{port}/{name}"))?;
    let (mut seen, mut after) = (Vec::new(), Position::START);
    for ordering in [LogOrdering::Fenced, LogOrdering::Gapless] {
        STORE.set_log_ordering(&mut writer, ordering)?;
        append(&mut writer, "before")?;
        STORE.publish_position(&mut writer)?;
        pair.replay()?;
        pair.pause()?;
        append(&mut writer, "behind")?;
        append(&mut writer, "behind")?;
        STORE.publish_position(&mut writer)?;
        for is_behind in [true, false] {
            if !is_behind {
                pair.go_on()?;
                pair.replay()?;
            }
            for _ in 0..4 {
                let slice = STORE.read_forward(&mut reader, after, 10)?;
                after = slice.scanned_to();
                seen.extend(slice.events().iter().map(|event| event.aggregate_id().to_owned()));
            }
        }
    }
    assert_eq!(seen, ["before", "behind", "behind"].repeat(2));
    Ok(())
}
