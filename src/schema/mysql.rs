// @generated automatically by Diesel CLI.

diesel::table! {
    aggregate_heads (aggregate_type, aggregate_id) {
        #[max_length = 255]
        aggregate_type -> Varchar,
        #[max_length = 255]
        aggregate_id -> Varchar,
        aggregate_version -> Bigint,
        updated_at -> Datetime,
    }
}

diesel::table! {
    event_fence (slot) {
        slot -> Tinyint,
        #[max_length = 20]
        ordering -> Varchar,
    }
}

diesel::table! {
    event_log (id) {
        id -> Tinyint,
        phase -> Tinyint,
        draining_position -> Bigint,
        safe_position -> Bigint,
        last_position -> Bigint,
    }
}

diesel::table! {
    events (global_position) {
        global_position -> Bigint,
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
    projection_checkpoints (projection_name) {
        #[max_length = 255]
        projection_name -> Varchar,
        last_global_position -> Bigint,
        updated_at -> Datetime,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    aggregate_heads,
    event_fence,
    event_log,
    events,
    projection_checkpoints,
);
