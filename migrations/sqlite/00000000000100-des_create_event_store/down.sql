DROP TABLE event_log;
DROP TABLE parked_events;
DROP TABLE projection_workers;
DROP TABLE projection_checkpoints;
DROP TABLE aggregate_heads;
DROP TABLE events;
