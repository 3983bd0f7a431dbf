DROP TABLE projection_checkpoints;
DROP TABLE aggregate_heads;
DROP TABLE events;
