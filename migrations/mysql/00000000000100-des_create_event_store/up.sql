-- Each table has a comment by which it is known for the event store's own.
--
-- Names are told apart to the character, also by spaces at the end: a binary collation without padding. MariaDB and MySQL
-- have one each, of different names, and each reads only the comment that is meant for it. Without it `'a' = 'a '`.
--
-- No CHECK (JSON_VALID(payload)): MariaDB refuses JSON that is nested more than 31 levels, and escapes like \ud800.
CREATE TABLE events (
    global_position   BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    aggregate_type    VARCHAR(255) NOT NULL,
    aggregate_id      VARCHAR(255) NOT NULL,
    aggregate_version BIGINT       NOT NULL CHECK (aggregate_version > 0),
    event_id          CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    event_type        VARCHAR(255) NOT NULL,
    event_version     INT          NOT NULL CHECK (event_version > 0),
    payload           LONGTEXT     NOT NULL, -- JSON text as it was written
    metadata          LONGTEXT,
    trace_id          VARCHAR(255),
    correlation_id    VARCHAR(255),
    causation_id      VARCHAR(255),
    created_at        DATETIME(6)  NOT NULL, -- in UTC, whatever the session's time zone
    UNIQUE KEY events_event_id_key (event_id),
    UNIQUE KEY events_stream_key (aggregate_type, aggregate_id, aggregate_version), -- also the index that streams are read by
    KEY events_correlation_id (correlation_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 /*M! COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */
  COMMENT='diesel_event_store';

CREATE TRIGGER events_refuse_update BEFORE UPDATE ON events FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'events is append-only: UPDATE is refused';

CREATE TRIGGER events_refuse_delete BEFORE DELETE ON events FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'events is append-only: DELETE is refused';

CREATE TABLE aggregate_heads (
    aggregate_type    VARCHAR(255) NOT NULL,
    aggregate_id      VARCHAR(255) NOT NULL,
    aggregate_version BIGINT       NOT NULL, -- the version of the aggregate's last event
    updated_at        DATETIME(6)  NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 /*M! COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */
  COMMENT='diesel_event_store';

-- One row a partition of a projection's version; most projections have one.
CREATE TABLE projection_checkpoints (
    projection_name      VARCHAR(255) NOT NULL,
    projection_version   INT          NOT NULL DEFAULT 1 CHECK (projection_version > 0),
    partition_number     INT          NOT NULL DEFAULT 0, -- from 0 to partition_count - 1
    partition_count      INT          NOT NULL DEFAULT 1,
    last_global_position BIGINT       NOT NULL, -- everything up to here is applied
    last_event_id        CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin, -- the last event that was applied: by it the log is known again
    updated_at           DATETIME(6)  NOT NULL,
    state                VARCHAR(20)  NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'failed', 'retired')),
    last_error           LONGTEXT,              -- why it has failed
    owner                VARCHAR(255),          -- the worker that applies it
    leased_until         BIGINT,                -- in milliseconds since 1970 by the database's clock
    fencing_token        BIGINT       NOT NULL DEFAULT 0, -- counted up with every owner
    barrier_position     BIGINT,                -- nothing above is applied until the number of partitions has been changed
    next_partition_count INT,                   -- what it will be changed to
    PRIMARY KEY (projection_name, projection_version, partition_number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 /*M! COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */
  COMMENT='diesel_event_store';

-- Who runs a projection, so that its partitions can be shared fairly.
CREATE TABLE projection_workers (
    projection_name    VARCHAR(255) NOT NULL,
    projection_version INT          NOT NULL,
    worker             VARCHAR(255) NOT NULL,
    seen_until         BIGINT       NOT NULL, -- in milliseconds since 1970 by the database's clock
    PRIMARY KEY (projection_name, projection_version, worker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 /*M! COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */
  COMMENT='diesel_event_store';

-- Events that a projection could not apply and has put aside, and those that are held back behind them.
CREATE TABLE parked_events (
    projection_name    VARCHAR(255) NOT NULL,
    projection_version INT          NOT NULL,
    global_position    BIGINT       NOT NULL,
    event_id           CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    aggregate_type     VARCHAR(255) NOT NULL,
    aggregate_id       VARCHAR(255) NOT NULL,
    reason             VARCHAR(20)  NOT NULL CHECK (reason IN ('failed', 'undecodable', 'unknown', 'held')),
    error              LONGTEXT     NOT NULL,
    attempts           INT          NOT NULL,
    parked_at          DATETIME(6)  NOT NULL,
    requested          VARCHAR(20)  CHECK (requested IN ('retry', 'discard')), -- what its worker is asked to do with it
    PRIMARY KEY (projection_name, projection_version, global_position)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 /*M! COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */
  COMMENT='diesel_event_store';

-- Whoever appends holds a shared lock on one of these rows until its transaction ends. Both say how positions are given out.
CREATE TABLE event_fence (
    slot     TINYINT     NOT NULL PRIMARY KEY,
    ordering VARCHAR(20) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=ascii COMMENT='diesel_event_store';

-- On a node of Galera (wsrep_on), whose locks other nodes do not see, positions are counted in a row.
INSERT INTO event_fence (slot, ordering)
SELECT slot, IF(
    EXISTS (
        SELECT * FROM /*M! information_schema.global_variables */ /*!80017 performance_schema.global_variables */
        WHERE variable_name = 'wsrep_on' AND variable_value = 'ON'
    ),
    'gapless', 'fenced'
) FROM (SELECT 0 AS slot UNION ALL SELECT 1) AS slots;

-- How far the log can be read. One row.
CREATE TABLE event_log (
    id                TINYINT NOT NULL PRIMARY KEY,
    phase             TINYINT NOT NULL, -- fenced: the slot that appends lock now
    draining_position BIGINT  NOT NULL, -- fenced: safe as soon as nobody holds the other slot
    safe_position     BIGINT  NOT NULL, -- fenced: nobody will commit at or below it any more
    last_position     BIGINT  NOT NULL  -- gapless: the last position given out
) ENGINE=InnoDB COMMENT='diesel_event_store';

INSERT INTO event_log (id, phase, draining_position, safe_position, last_position) VALUES (1, 0, 0, 0, 0);
