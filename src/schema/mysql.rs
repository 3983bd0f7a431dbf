// @generated automatically by Diesel CLI.

diesel::table! {
    aggregate_heads (tenant_id, aggregate_type, aggregate_id) {
        #[max_length = 63]
        tenant_id -> Varchar,
        #[max_length = 255]
        aggregate_type -> Varchar,
        #[max_length = 255]
        aggregate_id -> Varchar,
        aggregate_version -> Bigint,
        updated_at -> Datetime,
        archived_version -> Bigint,
    }
}

diesel::table! {
    append_keys (tenant_id, idempotency_key) {
        #[max_length = 63]
        tenant_id -> Varchar,
        #[max_length = 255]
        idempotency_key -> Varchar,
        fingerprint -> Bigint,
        #[max_length = 36]
        first_event_id -> Char,
        event_count -> Bigint,
        created_at -> Datetime,
    }
}

diesel::table! {
    event_fence (slot) {
        slot -> Tinyint,
        #[max_length = 20]
        ordering -> Varchar,
        #[max_length = 20]
        state -> Varchar,
        server_id -> Bigint,
    }
}

diesel::table! {
    event_log (id) {
        id -> Tinyint,
        #[max_length = 36]
        log_id -> Char,
        #[max_length = 20]
        state -> Varchar,
        note -> Nullable<Longtext>,
        phase -> Tinyint,
        draining_position -> Bigint,
        safe_position -> Bigint,
        last_position -> Bigint,
    }
}

diesel::table! {
    event_rewrites (global_position) {
        global_position -> Bigint,
        #[max_length = 64]
        leaf -> Char,
        #[max_length = 20]
        reason -> Varchar,
        rewritten_at -> Datetime,
    }
}

diesel::table! {
    event_seals (global_position) {
        global_position -> Bigint,
        events -> Bigint,
        #[max_length = 64]
        chain -> Char,
        sealed_at -> Datetime,
    }
}

diesel::table! {
    events (global_position) {
        global_position -> Bigint,
        #[max_length = 63]
        tenant_id -> Varchar,
        #[max_length = 255]
        aggregate_type -> Varchar,
        #[max_length = 255]
        aggregate_id -> Varchar,
        aggregate_version -> Bigint,
        #[max_length = 36]
        event_id -> Char,
        #[max_length = 255]
        event_type -> Varchar,
        event_version -> Integer,
        payload -> Longtext,
        metadata -> Nullable<Longtext>,
        #[max_length = 255]
        trace_id -> Nullable<Varchar>,
        #[max_length = 255]
        correlation_id -> Nullable<Varchar>,
        #[max_length = 255]
        causation_id -> Nullable<Varchar>,
        created_at -> Datetime,
    }
}

diesel::table! {
    parked_events (projection_name, projection_version, global_position) {
        #[max_length = 255]
        projection_name -> Varchar,
        projection_version -> Integer,
        global_position -> Bigint,
        #[max_length = 36]
        event_id -> Char,
        #[max_length = 63]
        tenant_id -> Varchar,
        #[max_length = 255]
        aggregate_type -> Varchar,
        #[max_length = 255]
        aggregate_id -> Varchar,
        #[max_length = 20]
        reason -> Varchar,
        error -> Longtext,
        attempts -> Integer,
        parked_at -> Datetime,
        #[max_length = 20]
        requested -> Nullable<Varchar>,
        holds_back -> Integer,
    }
}

diesel::table! {
    projection_checkpoints (projection_name, projection_version, partition_number) {
        #[max_length = 255]
        projection_name -> Varchar,
        projection_version -> Integer,
        partition_number -> Integer,
        partition_count -> Integer,
        last_global_position -> Bigint,
        last_event_position -> Nullable<Bigint>,
        #[max_length = 36]
        last_event_id -> Nullable<Char>,
        updated_at -> Datetime,
        #[max_length = 20]
        state -> Varchar,
        last_error -> Nullable<Longtext>,
        failing_since -> Nullable<Bigint>,
        #[max_length = 255]
        owner -> Nullable<Varchar>,
        leased_until -> Nullable<Bigint>,
        fencing_token -> Bigint,
        barrier_position -> Nullable<Bigint>,
        next_partition_count -> Nullable<Integer>,
    }
}

diesel::table! {
    projection_workers (projection_name, projection_version, worker) {
        #[max_length = 255]
        projection_name -> Varchar,
        projection_version -> Integer,
        #[max_length = 255]
        worker -> Varchar,
        seen_until -> Bigint,
    }
}

diesel::table! {
    snapshots (tenant_id, aggregate_type, aggregate_id, snapshot_version) {
        #[max_length = 63]
        tenant_id -> Varchar,
        #[max_length = 255]
        aggregate_type -> Varchar,
        #[max_length = 255]
        aggregate_id -> Varchar,
        snapshot_version -> Integer,
        aggregate_version -> Bigint,
        #[max_length = 36]
        event_id -> Char,
        state -> Longtext,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    aggregate_heads,
    append_keys,
    event_fence,
    event_log,
    event_rewrites,
    event_seals,
    events,
    parked_events,
    projection_checkpoints,
    projection_workers,
    snapshots,
);
