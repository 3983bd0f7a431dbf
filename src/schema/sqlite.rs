// @generated automatically by Diesel CLI.

diesel::table! {
    aggregate_heads (aggregate_type, aggregate_id) {
        aggregate_type -> Text,
        aggregate_id -> Text,
        aggregate_version -> BigInt,
        updated_at -> Text,
    }
}

diesel::table! {
    events (global_position) {
        global_position -> BigInt,
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
    projection_checkpoints (projection_name) {
        projection_name -> Text,
        last_global_position -> BigInt,
        updated_at -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(aggregate_heads, events, projection_checkpoints,);
