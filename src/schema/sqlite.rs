// @generated automatically by Diesel CLI.

diesel::table! {
    aggregate_heads (tenant_id, aggregate_type, aggregate_id) {
        tenant_id -> Text,
        aggregate_type -> Text,
        aggregate_id -> Text,
        aggregate_version -> BigInt,
        updated_at -> Text,
        archived_version -> BigInt,
    }
}

diesel::table! {
    append_keys (tenant_id, idempotency_key) {
        tenant_id -> Text,
        idempotency_key -> Text,
        fingerprint -> BigInt,
        first_event_id -> Text,
        event_count -> BigInt,
        created_at -> Text,
    }
}

diesel::table! {
    event_log (id) {
        id -> BigInt,
        log_id -> Text,
        state -> Text,
        note -> Nullable<Text>,
    }
}

diesel::table! {
    event_rewrites (global_position) {
        global_position -> BigInt,
        leaf -> Text,
        reason -> Text,
        rewritten_at -> Text,
    }
}

diesel::table! {
    event_seals (global_position) {
        global_position -> BigInt,
        events -> BigInt,
        chain -> Text,
        sealed_at -> Text,
    }
}

diesel::table! {
    events (global_position) {
        global_position -> BigInt,
        tenant_id -> Text,
        aggregate_type -> Text,
        aggregate_id -> Text,
        aggregate_version -> BigInt,
        event_id -> Text,
        event_type -> Text,
        event_version -> Integer,
        payload -> Text,
        metadata -> Nullable<Text>,
        trace_id -> Nullable<Text>,
        correlation_id -> Nullable<Text>,
        causation_id -> Nullable<Text>,
        created_at -> Text,
    }
}

diesel::table! {
    parked_events (projection_name, projection_version, global_position) {
        projection_name -> Text,
        projection_version -> Integer,
        global_position -> BigInt,
        event_id -> Text,
        tenant_id -> Text,
        aggregate_type -> Text,
        aggregate_id -> Text,
        reason -> Text,
        error -> Text,
        attempts -> Integer,
        parked_at -> Text,
        requested -> Nullable<Text>,
        holds_back -> Integer,
    }
}

diesel::table! {
    projection_checkpoints (projection_name, projection_version, partition_number) {
        projection_name -> Text,
        projection_version -> Integer,
        partition_number -> Integer,
        partition_count -> Integer,
        last_global_position -> BigInt,
        last_event_position -> Nullable<BigInt>,
        last_event_id -> Nullable<Text>,
        updated_at -> Text,
        state -> Text,
        last_error -> Nullable<Text>,
        failing_since -> Nullable<BigInt>,
        owner -> Nullable<Text>,
        leased_until -> Nullable<BigInt>,
        fencing_token -> BigInt,
        barrier_position -> Nullable<BigInt>,
        next_partition_count -> Nullable<Integer>,
    }
}

diesel::table! {
    projection_workers (projection_name, projection_version, worker) {
        projection_name -> Text,
        projection_version -> Integer,
        worker -> Text,
        seen_until -> BigInt,
    }
}

diesel::table! {
    snapshots (tenant_id, aggregate_type, aggregate_id, snapshot_version) {
        tenant_id -> Text,
        aggregate_type -> Text,
        aggregate_id -> Text,
        snapshot_version -> Integer,
        aggregate_version -> BigInt,
        event_id -> Text,
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
