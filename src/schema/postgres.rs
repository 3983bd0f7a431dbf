// @generated automatically by Diesel CLI.

diesel::table! {
    aggregate_heads (aggregate_type, aggregate_id) {
        aggregate_type -> Text,
        aggregate_id -> Text,
        aggregate_version -> Int8,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    event_log (id) {
        id -> Int4,
        ordering -> Text,
        counted_position -> Int8,
        published_position -> Nullable<Int8>,
    }
}

diesel::table! {
    events (global_position) {
        global_position -> Int8,
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
    projection_checkpoints (projection_name) {
        projection_name -> Text,
        last_global_position -> Int8,
        updated_at -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(aggregate_heads, event_log, events, projection_checkpoints,);
