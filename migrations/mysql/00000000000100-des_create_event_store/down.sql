DROP TABLE event_log;
DROP TABLE event_fence;
DROP TABLE projection_checkpoints;
DROP TABLE aggregate_heads;
DROP TABLE events;
