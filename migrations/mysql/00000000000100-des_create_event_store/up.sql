-- The COMMENT of each table marks it as the event store's own.
--
-- Names differ in every character, also in spaces at the end, which takes a binary collation without padding:
-- otherwise `'a' = 'a '`. MariaDB and MySQL name it differently. Each reads only the versioned comment with
-- its name.
--
-- X'' is '', also where a session of MariaDB takes that for NULL (sql_mode EMPTY_STRING_IS_NULL).
--
-- The keys are too wide for some of the formats that a server may have as its default
-- (innodb_default_row_format).
--
-- No CHECK (JSON_VALID(payload)): MariaDB refuses JSON nested more than 31 levels, and escapes like \ud800.
CREATE TABLE events (
    global_position   BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    tenant_id         VARCHAR(63)  NOT NULL DEFAULT (_utf8mb4 X''), -- '': none
    aggregate_type    VARCHAR(255) NOT NULL,
    aggregate_id      VARCHAR(255) NOT NULL,
    aggregate_version BIGINT       NOT NULL CHECK (aggregate_version > 0),
    event_id          CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    event_type        VARCHAR(255) NOT NULL,
    event_version     INT          NOT NULL CHECK (event_version > 0),
    payload           LONGTEXT     NOT NULL, -- the JSON text as it was written
    metadata          LONGTEXT,
    trace_id          VARCHAR(255),
    correlation_id    VARCHAR(255),
    causation_id      VARCHAR(255),
    created_at        DATETIME(6)  NOT NULL, -- in UTC, whatever the session's time zone
    UNIQUE KEY events_event_id_key (event_id),
    -- Also the index for reading streams.
    UNIQUE KEY events_stream_key (tenant_id, aggregate_type, aggregate_id, aggregate_version),
    -- The position is in it anyway. Where it is not named, MySQL prefers to merge two indexes and to sort.
    KEY events_correlation_id (correlation_id, global_position)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 /*M! COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */
  ROW_FORMAT=DYNAMIC COMMENT='diesel_event_store';

CREATE TRIGGER events_refuse_update BEFORE UPDATE ON events FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'events is append-only: UPDATE is refused';

-- What is left of events that were archived: the hash of each, which keeps seals provable. An event is
-- deleted only once it has its row here, and the row only once the event is back: one of both is always
-- there.
CREATE TABLE event_rewrites (
    global_position BIGINT      NOT NULL PRIMARY KEY,
    -- Of the event's line in an export, in hexadecimal digits.
    leaf            CHAR(64)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    reason          VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL CHECK (reason IN ('archived')),
    rewritten_at    DATETIME(6) NOT NULL
) ENGINE=InnoDB COMMENT='diesel_event_store';

-- These lock what they find, so that no other transaction deletes it at the same moment.
CREATE TRIGGER events_refuse_delete BEFORE DELETE ON events FOR EACH ROW
    IF NOT EXISTS (
        SELECT 1 FROM event_rewrites WHERE global_position = OLD.global_position LOCK IN SHARE MODE
    ) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'events is append-only: DELETE is refused';
    END IF;

CREATE TRIGGER event_rewrites_refuse_update BEFORE UPDATE ON event_rewrites FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'event_rewrites is append-only: UPDATE is refused';

CREATE TRIGGER event_rewrites_refuse_delete BEFORE DELETE ON event_rewrites FOR EACH ROW
    IF NOT EXISTS (
        SELECT 1 FROM events WHERE global_position = OLD.global_position LOCK IN SHARE MODE
    ) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'event_rewrites is append-only: DELETE is refused';
    END IF;

CREATE TABLE aggregate_heads (
    tenant_id         VARCHAR(63)  NOT NULL DEFAULT (_utf8mb4 X''),
    aggregate_type    VARCHAR(255) NOT NULL,
    aggregate_id      VARCHAR(255) NOT NULL,
    aggregate_version BIGINT       NOT NULL CHECK (aggregate_version > 0), -- of the aggregate's last event
    updated_at        DATETIME(6)  NOT NULL,
    archived_version  BIGINT       NOT NULL DEFAULT 0, -- its events up to this version are archived
    PRIMARY KEY (tenant_id, aggregate_type, aggregate_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 /*M! COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */
  ROW_FORMAT=DYNAMIC COMMENT='diesel_event_store';

-- The keys of requests that were carried out, so that a repetition gets the result of the first.
CREATE TABLE append_keys (
    tenant_id       VARCHAR(63)  NOT NULL DEFAULT (_utf8mb4 X''),
    idempotency_key VARCHAR(255) NOT NULL,
    fingerprint     BIGINT       NOT NULL, -- of what was appended
    first_event_id  CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    event_count     BIGINT       NOT NULL CHECK (event_count > 0),
    created_at      DATETIME(6)  NOT NULL,
    PRIMARY KEY (tenant_id, idempotency_key),
    -- Without it, deleting the old keys would wait for every transaction that has a new one.
    KEY append_keys_created_at (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 /*M! COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */
  ROW_FORMAT=DYNAMIC COMMENT='diesel_event_store';

-- The states of aggregates, so that not all their events have to be read. One that does not fit is not used.
CREATE TABLE snapshots (
    tenant_id         VARCHAR(63)  NOT NULL DEFAULT (_utf8mb4 X''),
    aggregate_type    VARCHAR(255) NOT NULL,
    aggregate_id      VARCHAR(255) NOT NULL,
    snapshot_version  INT          NOT NULL, -- of the state's shape and of the code that folds it
    aggregate_version BIGINT       NOT NULL, -- of the last event that is folded into the state
    event_id          CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- of that event
    state             LONGTEXT     NOT NULL,
    PRIMARY KEY (tenant_id, aggregate_type, aggregate_id, snapshot_version)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 /*M! COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */
  ROW_FORMAT=DYNAMIC COMMENT='diesel_event_store';

-- One row per partition of a projection's version; most projections have one partition.
CREATE TABLE projection_checkpoints (
    projection_name      VARCHAR(255) NOT NULL,
    projection_version   INT          NOT NULL DEFAULT 1 CHECK (projection_version > 0),
    partition_number     INT          NOT NULL DEFAULT 0, -- from 0 to partition_count - 1
    partition_count      INT          NOT NULL DEFAULT 1,
    last_global_position BIGINT       NOT NULL, -- everything up to here is applied
    last_event_position  BIGINT,                -- of the last event applied: the log has no other one there
    last_event_id        CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin,
    updated_at           DATETIME(6)  NOT NULL,
    state                VARCHAR(20)  NOT NULL DEFAULT 'active'
                                      CHECK (state IN ('active', 'failed', 'retired')),
    last_error           LONGTEXT,              -- why the partition has failed, or is tried again
    failing_since        BIGINT,                -- in milliseconds since 1970 by the database's clock
    owner                VARCHAR(255),          -- the worker that applies the partition
    leased_until         BIGINT,                -- in milliseconds since 1970 by the database's clock
    fencing_token        BIGINT       NOT NULL DEFAULT 0, -- incremented with every owner
    barrier_position     BIGINT,                -- nothing above is applied until the number has changed
    next_partition_count INT,                   -- the number of partitions after the change
    PRIMARY KEY (projection_name, projection_version, partition_number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 /*M! COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */
  ROW_FORMAT=DYNAMIC COMMENT='diesel_event_store';

-- The workers of a projection that are alive, so that they can share its partitions fairly.
CREATE TABLE projection_workers (
    projection_name    VARCHAR(255) NOT NULL,
    projection_version INT          NOT NULL,
    worker             VARCHAR(255) NOT NULL,
    seen_until         BIGINT       NOT NULL, -- in milliseconds since 1970 by the database's clock
    PRIMARY KEY (projection_name, projection_version, worker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 /*M! COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */
  ROW_FORMAT=DYNAMIC COMMENT='diesel_event_store';

-- Events that a projection could not apply and has parked (dead-lettered), and those held back behind them.
CREATE TABLE parked_events (
    projection_name    VARCHAR(255) NOT NULL,
    projection_version INT          NOT NULL,
    global_position    BIGINT       NOT NULL,
    event_id           CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    tenant_id          VARCHAR(63)  NOT NULL DEFAULT (_utf8mb4 X''),
    aggregate_type     VARCHAR(255) NOT NULL,
    aggregate_id       VARCHAR(255) NOT NULL,
    reason             VARCHAR(20)  NOT NULL CHECK (reason IN ('failed', 'undecodable', 'unknown', 'held')),
    error              LONGTEXT     NOT NULL,
    attempts           INT          NOT NULL,
    parked_at          DATETIME(6)  NOT NULL,
    -- What the worker is asked to do with the event.
    requested          VARCHAR(20)  CHECK (requested IN ('retry', 'discard')),
    -- Whether later events of the aggregate wait behind it.
    holds_back         INT          NOT NULL DEFAULT 1 CHECK (holds_back IN (0, 1)),
    PRIMARY KEY (projection_name, projection_version, global_position),
    -- Workers look every half second, and there are few requests among however many parked events.
    KEY parked_events_requested (projection_name, projection_version, requested, reason)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 /*M! COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */
  ROW_FORMAT=DYNAMIC COMMENT='diesel_event_store';

-- What the log was when it was sealed: a hash over all events up to a position.
CREATE TABLE event_seals (
    global_position BIGINT      NOT NULL PRIMARY KEY,
    events          BIGINT      NOT NULL, -- how many there are up to here
    chain           CHAR(64)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- in hexadecimal digits
    sealed_at       DATETIME(6) NOT NULL
) ENGINE=InnoDB COMMENT='diesel_event_store';

CREATE TRIGGER event_seals_refuse_update BEFORE UPDATE ON event_seals FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'event_seals is append-only: UPDATE is refused';

CREATE TRIGGER event_seals_refuse_delete BEFORE DELETE ON event_seals FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'event_seals is append-only: DELETE is refused';

-- An appending transaction holds a shared lock on one of these two rows until it ends. Both rows hold the
-- ordering of the log: how positions are assigned; and whether it takes events, which an append reads under
-- its lock.
CREATE TABLE event_fence (
    slot      TINYINT     NOT NULL PRIMARY KEY,
    ordering  VARCHAR(20) NOT NULL,
    state     VARCHAR(20) NOT NULL DEFAULT 'open', -- that of event_log
    server_id BIGINT      NOT NULL -- the server on which events are appended: only there are these rows locked
) ENGINE=InnoDB DEFAULT CHARSET=ascii COMMENT='diesel_event_store';

-- Replication by statement copies the value of this variable, but would read @@server_id anew on the replica.
SET @diesel_event_store_server_id = @@server_id;

-- On a node of Galera (wsrep_on) the other nodes do not see locks, so positions are counted in a row.
INSERT INTO event_fence (slot, ordering, server_id)
SELECT slot, IF(
    EXISTS (
        SELECT *
        FROM /*M! information_schema.global_variables */ /*!80017 performance_schema.global_variables */
        WHERE variable_name = 'wsrep_on' AND variable_value = 'ON'
    ),
    'gapless', 'fenced'
), @diesel_event_store_server_id FROM (SELECT 0 AS slot UNION ALL SELECT 1) AS slots;

-- Which log this is, whether events can be appended to it, and how far it can be read. One row.
CREATE TABLE event_log (
    id                TINYINT NOT NULL PRIMARY KEY,
    log_id            CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- moves along with the log
    state             VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'open'
                              CHECK (state IN ('open', 'frozen', 'receiving')),
    note              LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, -- JSON: why it is closed, since when
    phase             TINYINT NOT NULL, -- fenced: the slot that new appends lock
    draining_position BIGINT  NOT NULL, -- fenced: safe once no append holds the other slot
    safe_position     BIGINT  NOT NULL, -- fenced: no append will commit at or below it any more
    last_position     BIGINT  NOT NULL CHECK (last_position >= 0) -- gapless: the last position assigned
) ENGINE=InnoDB COMMENT='diesel_event_store';

-- The same on a replica, as above.
SET @diesel_event_store_log_id = UUID();

INSERT INTO event_log (id, log_id, phase, draining_position, safe_position, last_position)
VALUES (1, @diesel_event_store_log_id, 0, 0, 0, 0);
