// @generated automatically by Diesel CLI.

diesel::table! {
    aggregate_heads (tenant_id, aggregate_type, aggregate_id) {
        tenant_id -> Text,
        aggregate_type -> Text,
        aggregate_id -> Text,
        aggregate_version -> Int8,
        updated_at -> Timestamptz,
        archived_version -> Int8,
    }
}

diesel::table! {
    append_keys (tenant_id, idempotency_key) {
        tenant_id -> Text,
        idempotency_key -> Text,
        fingerprint -> Int8,
        first_event_id -> Uuid,
        event_count -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    event_log (id) {
        id -> Int4,
        log_id -> Uuid,
        state -> Text,
        note -> Nullable<Text>,
        ordering -> Text,
        counted_position -> Int8,
        published_position -> Nullable<Int8>,
    }
}

diesel::table! {
    event_rewrites (global_position) {
        global_position -> Int8,
        leaf -> Text,
        reason -> Text,
        rewritten_at -> Timestamptz,
    }
}

diesel::table! {
    event_seals (global_position) {
        global_position -> Int8,
        events -> Int8,
        chain -> Text,
        sealed_at -> Timestamptz,
    }
}

diesel::table! {
    events (global_position) {
        global_position -> Int8,
        tenant_id -> Text,
        aggregate_type -> Text,
        aggregate_id -> Text,
        aggregate_version -> Int8,
        event_id -> Uuid,
        event_type -> Text,
        event_version -> Int4,
        payload -> Json,
        metadata -> Nullable<Json>,
        trace_id -> Nullable<Text>,
        correlation_id -> Nullable<Text>,
        causation_id -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    parked_events (projection_name, projection_version, global_position) {
        projection_name -> Text,
        projection_version -> Int4,
        global_position -> Int8,
        event_id -> Uuid,
        tenant_id -> Text,
        aggregate_type -> Text,
        aggregate_id -> Text,
        reason -> Text,
        error -> Text,
        attempts -> Int4,
        parked_at -> Timestamptz,
        requested -> Nullable<Text>,
        holds_back -> Int4,
    }
}

diesel::table! {
    projection_checkpoints (projection_name, projection_version, partition_number) {
        projection_name -> Text,
        projection_version -> Int4,
        partition_number -> Int4,
        partition_count -> Int4,
        last_global_position -> Int8,
        last_event_position -> Nullable<Int8>,
        last_event_id -> Nullable<Uuid>,
        updated_at -> Timestamptz,
        state -> Text,
        last_error -> Nullable<Text>,
        failing_since -> Nullable<Int8>,
        owner -> Nullable<Text>,
        leased_until -> Nullable<Int8>,
        fencing_token -> Int8,
        barrier_position -> Nullable<Int8>,
        next_partition_count -> Nullable<Int4>,
    }
}

diesel::table! {
    projection_workers (projection_name, projection_version, worker) {
        projection_name -> Text,
        projection_version -> Int4,
        worker -> Text,
        seen_until -> Int8,
    }
}

diesel::table! {
    snapshots (tenant_id, aggregate_type, aggregate_id, snapshot_version) {
        tenant_id -> Text,
        aggregate_type -> Text,
        aggregate_id -> Text,
        snapshot_version -> Int4,
        aggregate_version -> Int8,
        event_id -> Uuid,
        state -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    aggregate_heads,
    append_keys,
    event_log,
    event_rewrites,
    event_seals,
    events,
    parked_events,
    projection_checkpoints,
    projection_workers,
    snapshots,
);
