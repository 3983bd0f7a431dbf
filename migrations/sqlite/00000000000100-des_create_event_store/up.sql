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

CREATE TABLE projection_checkpoints (
    projection_name      TEXT   NOT NULL PRIMARY KEY,
    last_global_position BIGINT NOT NULL, -- everything up to here is applied
    updated_at           TEXT   NOT NULL
) WITHOUT ROWID;
