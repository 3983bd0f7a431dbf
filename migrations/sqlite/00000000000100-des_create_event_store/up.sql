-- Ids, JSON and times are TEXT so that `SELECT * FROM events` reads well in the sqlite3 command, and because
-- `diesel print-schema`, which runs over an application's whole database, knows no JSON, UUID or TIMESTAMPTZ here.
CREATE TABLE events (
    global_position   INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, -- AUTOINCREMENT: a position is never given twice
    aggregate_type    TEXT    NOT NULL,
    aggregate_id      TEXT    NOT NULL,
    aggregate_version BIGINT  NOT NULL CHECK (aggregate_version > 0),
    event_id          TEXT    NOT NULL UNIQUE,
    event_type        TEXT    NOT NULL,
    event_version     INTEGER NOT NULL CHECK (event_version > 0),
    payload           TEXT    NOT NULL CHECK (json_valid(payload)),
    metadata          TEXT    CHECK (metadata IS NULL OR json_valid(metadata)), -- json_valid(NULL) is 0 before SQLite 3.45
    trace_id          TEXT,
    correlation_id    TEXT,
    causation_id      TEXT,
    created_at        TEXT    NOT NULL, -- RFC 3339 in UTC with six digits, so that it sorts as text
    UNIQUE (aggregate_type, aggregate_id, aggregate_version) -- also the index that streams are read by
);

CREATE INDEX events_correlation_id ON events (correlation_id) WHERE correlation_id IS NOT NULL;

CREATE TRIGGER events_refuse_update BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events is append-only: UPDATE is refused');
END;

CREATE TRIGGER events_refuse_delete BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'events is append-only: DELETE is refused');
END;

CREATE TABLE aggregate_heads (
    aggregate_type    TEXT   NOT NULL,
    aggregate_id      TEXT   NOT NULL,
    aggregate_version BIGINT NOT NULL, -- the version of the aggregate's last event
    updated_at        TEXT   NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id)
) WITHOUT ROWID;

-- One row a partition of a projection's version; most projections have one.
CREATE TABLE projection_checkpoints (
    projection_name      TEXT    NOT NULL,
    projection_version   INTEGER NOT NULL DEFAULT 1 CHECK (projection_version > 0),
    partition_number     INTEGER NOT NULL DEFAULT 0, -- from 0 to partition_count - 1
    partition_count      INTEGER NOT NULL DEFAULT 1,
    last_global_position BIGINT  NOT NULL, -- everything up to here is applied
    last_event_id        TEXT,             -- the last event that was applied: by it the log is known again
    updated_at           TEXT    NOT NULL,
    state                TEXT    NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'failed', 'retired')),
    last_error           TEXT,             -- why it has failed
    owner                TEXT,             -- the worker that applies it
    leased_until         BIGINT,           -- in milliseconds since 1970 by the database's clock
    fencing_token        BIGINT  NOT NULL DEFAULT 0, -- counted up with every owner
    barrier_position     BIGINT,           -- nothing above is applied until the number of partitions has been changed
    next_partition_count INTEGER,          -- what it will be changed to
    PRIMARY KEY (projection_name, projection_version, partition_number)
) WITHOUT ROWID;

-- Who runs a projection, so that its partitions can be shared fairly.
CREATE TABLE projection_workers (
    projection_name    TEXT    NOT NULL,
    projection_version INTEGER NOT NULL,
    worker             TEXT    NOT NULL,
    seen_until         BIGINT  NOT NULL, -- in milliseconds since 1970 by the database's clock
    PRIMARY KEY (projection_name, projection_version, worker)
) WITHOUT ROWID;

-- Events that a projection could not apply and has put aside, and those that are held back behind them.
CREATE TABLE parked_events (
    projection_name    TEXT    NOT NULL,
    projection_version INTEGER NOT NULL,
    global_position    BIGINT  NOT NULL,
    event_id           TEXT    NOT NULL,
    aggregate_type     TEXT    NOT NULL,
    aggregate_id       TEXT    NOT NULL,
    reason             TEXT    NOT NULL CHECK (reason IN ('failed', 'undecodable', 'unknown', 'held')),
    error              TEXT    NOT NULL,
    attempts           INTEGER NOT NULL,
    parked_at          TEXT    NOT NULL,
    requested          TEXT    CHECK (requested IN ('retry', 'discard')), -- what its worker is asked to do with it
    PRIMARY KEY (projection_name, projection_version, global_position)
) WITHOUT ROWID;
