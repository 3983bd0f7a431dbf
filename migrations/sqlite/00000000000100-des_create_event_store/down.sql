DROP TABLE event_log;
DROP TABLE parked_events;
DROP TABLE projection_workers;
DROP TABLE projection_checkpoints;
DROP TABLE snapshots;
DROP TABLE append_keys;
DROP TABLE aggregate_heads;
DROP TABLE events;
