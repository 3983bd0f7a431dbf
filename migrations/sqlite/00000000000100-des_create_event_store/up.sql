-- Ids, JSON and times are TEXT, so that `SELECT * FROM events` reads well in the sqlite3 command, and because
-- `diesel print-schema`, which covers the application's whole database, knows no JSON, UUID or TIMESTAMPTZ
-- here.
CREATE TABLE events (
    global_position   INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, -- it never assigns a position twice
    tenant_id         TEXT    NOT NULL DEFAULT '', -- '': none
    aggregate_type    TEXT    NOT NULL,
    aggregate_id      TEXT    NOT NULL,
    aggregate_version BIGINT  NOT NULL CHECK (aggregate_version > 0),
    event_id          TEXT    NOT NULL UNIQUE,
    event_type        TEXT    NOT NULL,
    event_version     INTEGER NOT NULL CHECK (event_version > 0),
    payload           TEXT    NOT NULL CHECK (json_valid(payload)),
    -- IS NULL because json_valid(NULL) is 0 before SQLite 3.45.
    metadata          TEXT    CHECK (metadata IS NULL OR json_valid(metadata)),
    trace_id          TEXT,
    correlation_id    TEXT,
    causation_id      TEXT,
    created_at        TEXT    NOT NULL, -- RFC 3339 in UTC with six digits, so that it sorts as text
    UNIQUE (tenant_id, aggregate_type, aggregate_id, aggregate_version) -- also the index for reading streams
);

CREATE INDEX events_correlation_id ON events (correlation_id) WHERE correlation_id IS NOT NULL;

CREATE TRIGGER events_refuse_update BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events is append-only: UPDATE is refused');
END;

-- What is left of events that were archived: the hash of each, which keeps seals provable. An event is
-- deleted only once it has its row here, and the row only once the event is back: one of both is always
-- there.
CREATE TABLE event_rewrites (
    global_position INTEGER PRIMARY KEY NOT NULL,
    leaf            TEXT    NOT NULL, -- of the event's line in an export, in hexadecimal digits
    reason          TEXT    NOT NULL CHECK (reason IN ('archived')),
    rewritten_at    TEXT    NOT NULL
);

CREATE TRIGGER events_refuse_delete BEFORE DELETE ON events
WHEN NOT EXISTS (SELECT 1 FROM event_rewrites WHERE global_position = OLD.global_position)
BEGIN
    SELECT RAISE(ABORT, 'events is append-only: DELETE is refused');
END;

CREATE TRIGGER event_rewrites_refuse_update BEFORE UPDATE ON event_rewrites
BEGIN
    SELECT RAISE(ABORT, 'event_rewrites is append-only: UPDATE is refused');
END;

CREATE TRIGGER event_rewrites_refuse_delete BEFORE DELETE ON event_rewrites
WHEN NOT EXISTS (SELECT 1 FROM events WHERE global_position = OLD.global_position)
BEGIN
    SELECT RAISE(ABORT, 'event_rewrites is append-only: DELETE is refused');
END;

CREATE TABLE aggregate_heads (
    tenant_id         TEXT   NOT NULL DEFAULT '',
    aggregate_type    TEXT   NOT NULL,
    aggregate_id      TEXT   NOT NULL,
    aggregate_version BIGINT NOT NULL, -- the version of the aggregate's last event
    updated_at        TEXT   NOT NULL,
    archived_version  BIGINT NOT NULL DEFAULT 0, -- its events up to this version are archived
    PRIMARY KEY (tenant_id, aggregate_type, aggregate_id)
) WITHOUT ROWID;

-- The keys of requests that were carried out, so that a repetition gets the result of the first.
CREATE TABLE append_keys (
    tenant_id       TEXT    NOT NULL DEFAULT '',
    idempotency_key TEXT    NOT NULL,
    fingerprint     BIGINT  NOT NULL, -- of what was appended
    first_event_id  TEXT    NOT NULL,
    event_count     BIGINT  NOT NULL CHECK (event_count > 0),
    created_at      TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, idempotency_key)
) WITHOUT ROWID;

-- The states of aggregates, so that not all their events have to be read. One that does not fit is not used.
CREATE TABLE snapshots (
    tenant_id         TEXT    NOT NULL DEFAULT '',
    aggregate_type    TEXT    NOT NULL,
    aggregate_id      TEXT    NOT NULL,
    snapshot_version  INTEGER NOT NULL, -- of the state's shape and of the code that folds it
    aggregate_version BIGINT  NOT NULL, -- of the last event that is folded into the state
    event_id          TEXT    NOT NULL, -- of that event
    state             TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, aggregate_type, aggregate_id, snapshot_version)
);

-- One row per partition of a projection's version; most projections have one partition.
CREATE TABLE projection_checkpoints (
    projection_name      TEXT    NOT NULL,
    projection_version   INTEGER NOT NULL DEFAULT 1 CHECK (projection_version > 0),
    partition_number     INTEGER NOT NULL DEFAULT 0, -- from 0 to partition_count - 1
    partition_count      INTEGER NOT NULL DEFAULT 1,
    last_global_position BIGINT  NOT NULL, -- everything up to here is applied
    last_event_position  BIGINT,           -- of the last event applied: the log has no other one there
    last_event_id        TEXT,
    updated_at           TEXT    NOT NULL,
    state                TEXT    NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'failed', 'retired')),
    last_error           TEXT,             -- why the partition has failed, or is tried again
    failing_since        BIGINT,           -- in milliseconds since 1970 by the database's clock
    owner                TEXT,             -- the worker that applies the partition
    leased_until         BIGINT,           -- in milliseconds since 1970 by the database's clock
    fencing_token        BIGINT  NOT NULL DEFAULT 0, -- incremented with every owner
    barrier_position     BIGINT,           -- nothing above is applied until the number has changed
    next_partition_count INTEGER,          -- the number of partitions after the change
    PRIMARY KEY (projection_name, projection_version, partition_number)
) WITHOUT ROWID;

-- The workers of a projection that are alive, so that they can share its partitions fairly.
CREATE TABLE projection_workers (
    projection_name    TEXT    NOT NULL,
    projection_version INTEGER NOT NULL,
    worker             TEXT    NOT NULL,
    seen_until         BIGINT  NOT NULL, -- in milliseconds since 1970 by the database's clock
    PRIMARY KEY (projection_name, projection_version, worker)
) WITHOUT ROWID;

-- Events that a projection could not apply and has parked (dead-lettered), and those held back behind them.
CREATE TABLE parked_events (
    projection_name    TEXT    NOT NULL,
    projection_version INTEGER NOT NULL,
    global_position    BIGINT  NOT NULL,
    event_id           TEXT    NOT NULL,
    tenant_id          TEXT    NOT NULL DEFAULT '',
    aggregate_type     TEXT    NOT NULL,
    aggregate_id       TEXT    NOT NULL,
    reason             TEXT    NOT NULL CHECK (reason IN ('failed', 'undecodable', 'unknown', 'held')),
    error              TEXT    NOT NULL,
    attempts           INTEGER NOT NULL,
    parked_at          TEXT    NOT NULL,
    -- What the worker is asked to do with the event.
    requested          TEXT    CHECK (requested IN ('retry', 'discard')),
    -- Whether later events of the aggregate wait behind it.
    holds_back         INTEGER NOT NULL DEFAULT 1 CHECK (holds_back IN (0, 1)),
    PRIMARY KEY (projection_name, projection_version, global_position)
) WITHOUT ROWID;

-- Workers look every half second, and there are few requests among however many parked events. With all
-- columns that they look at, the index is preferred to the primary key, also where nothing is known of the
-- table.
CREATE INDEX parked_events_requested ON parked_events (projection_name, projection_version, requested, reason)
    WHERE requested IS NOT NULL;

-- What the log was when it was sealed: a hash over all events up to a position.
CREATE TABLE event_seals (
    global_position INTEGER PRIMARY KEY NOT NULL,
    events          BIGINT  NOT NULL, -- how many there are up to here
    chain           TEXT    NOT NULL, -- in hexadecimal digits
    sealed_at       TEXT    NOT NULL
);

CREATE TRIGGER event_seals_refuse_update BEFORE UPDATE ON event_seals
BEGIN
    SELECT RAISE(ABORT, 'event_seals is append-only: UPDATE is refused');
END;

CREATE TRIGGER event_seals_refuse_delete BEFORE DELETE ON event_seals
BEGIN
    SELECT RAISE(ABORT, 'event_seals is append-only: DELETE is refused');
END;

-- One row: which log this is, and whether events can be appended to it. A trigger that is created on demand
-- refuses them, so that an open log pays nothing.
CREATE TABLE event_log (
    id     INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    log_id TEXT    NOT NULL, -- moves along when the log moves to another database
    state  TEXT    NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'frozen', 'receiving')),
    note   TEXT              -- JSON: why it is closed, and since when
);

-- A random UUID.
INSERT INTO event_log (id, log_id) VALUES (1, lower(
    hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-'
    || substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))
));
