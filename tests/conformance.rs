//! One suite that proves the promises on every database, through every kind of connection.
//!
//! Each test is a function of the suite, generic over the database; what a database must bring is in `support`. A test
//! that is missing in the list below is dead code, which the compiler reports.

mod suite;
mod support;

macro_rules! area {
    ($database:ty, $area:ident { $($test:ident),+ $(,)? }) => {
        mod $area {
            $(
                #[test]
                fn $test() -> crate::support::Result {
                    crate::suite::$area::$test::<$database>()
                }
            )+
        }
    };
}

macro_rules! conformance {
    ($name:ident: $database:ty) => {
        mod $name {
            area!(
                $database,
                append {
                    versions_count_from_one_without_a_gap,
                    what_is_returned_is_what_is_read_back,
                    positions_grow_from_append_to_append,
                    every_aggregate_counts_its_own_versions,
                    the_head_is_the_version_of_the_last_event,
                    a_batch_keeps_its_order,
                    an_event_without_a_time_has_that_of_the_append,
                    ids_that_are_not_given_are_time_ordered,
                    an_append_that_went_through_is_a_duplicate_when_it_is_repeated,
                }
            );
            area!(
                $database,
                expected_version {
                    any_takes_every_stream,
                    no_stream_takes_only_a_stream_without_events,
                    stream_exists_takes_only_a_stream_with_events,
                    exact_takes_only_that_version,
                    exact_zero_means_no_stream,
                    a_conflict_writes_nothing,
                    a_conflict_says_what_happened_and_what_to_do,
                    after_a_conflict_the_actual_version_is_accepted,
                }
            );
            area!(
                $database,
                transactions {
                    an_append_alone_is_committed,
                    events_and_rows_are_committed_together,
                    events_are_rolled_back_with_the_transaction,
                    an_error_that_the_application_passes_on_rolls_everything_back,
                    an_inner_transaction_is_rolled_back_without_the_outer,
                    an_outer_transaction_takes_committed_inner_ones_along,
                    a_conflict_leaves_the_transaction_usable,
                    a_conflict_on_a_stream_that_is_missing_leaves_the_transaction_usable,
                    a_duplicate_event_id_leaves_the_transaction_usable,
                    bad_input_leaves_the_transaction_usable,
                    an_append_that_failed_alone_leaves_no_transaction_open,
                    several_streams_are_appended_to_in_one_transaction,
                    a_transaction_sees_what_it_has_appended,
                    others_see_nothing_of_an_open_transaction,
                    a_transaction_reads_decides_and_appends,
                    a_lost_race_in_a_transaction_is_decided_anew,
                }
            );
            area!(
                $database,
                concurrency {
                    one_of_many_that_expect_the_same_version_wins,
                    one_of_many_that_create_a_stream_wins,
                    any_never_conflicts,
                    rollbacks_among_many_writers_leave_no_trace,
                    a_reader_that_follows_many_writers_sees_every_event_once,
                    of_many_that_save_a_checkpoint_the_furthest_stays,
                }
            );
            area!(
                $database,
                read_stream {
                    a_range_of_versions_is_read,
                    versions_that_are_not_there_are_no_error,
                    an_aggregate_without_events_is_an_empty_stream,
                    backward_is_newest_first,
                    a_limit_counts_from_where_the_reading_begins,
                    a_limit_backward_gives_the_newest_of_the_range,
                    the_version_of_a_slice_is_what_an_append_should_expect,
                    a_slice_gives_its_events_in_every_usual_way,
                    an_iterator_reads_the_same_in_pages_of_any_size,
                    an_iterator_reads_a_stream_longer_than_its_pages,
                    an_iterator_sees_what_is_appended_meanwhile,
                    an_iterator_ends_after_an_error,
                    an_iterator_ends_at_the_highest_version,
                }
            );
            area!(
                $database,
                read_log {
                    forward_begins_after_a_position,
                    backward_begins_before_a_position,
                    the_short_ways_read_the_same,
                    a_page_ends_at_its_limit_and_the_next_goes_on_there,
                    a_page_backward_goes_on_before_what_was_scanned,
                    a_filter_by_aggregate_types,
                    a_filter_by_event_types,
                    a_filter_by_correlation_id,
                    filters_are_combined_with_and,
                    a_filter_takes_any_number_of_any_names,
                    a_filtered_page_is_cut_short_at_its_last_match,
                    a_page_that_is_just_full_may_not_be_the_end,
                    a_reader_whose_filter_finds_nothing_moves_on,
                    a_reader_at_the_end_stays_where_it_is,
                    an_empty_log_is_at_its_end,
                    the_last_position_is_that_of_the_newest_event,
                    a_slice_gives_its_events_in_every_usual_way,
                    an_iterator_reads_the_same_in_pages_of_any_size,
                    an_iterator_sees_what_is_appended_meanwhile,
                    an_iterator_ends_after_an_error,
                }
            );
            area!(
                $database,
                read_event {
                    an_event_is_found_by_its_id,
                    any_id_that_is_given_is_kept,
                    an_id_that_nobody_has_is_no_error,
                }
            );
            area!($database, version { it_is_zero_without_events, it_counts_the_events });
            area!(
                $database,
                checkpoints {
                    a_projection_has_none_until_it_is_saved,
                    it_moves_forward,
                    it_is_never_saved_backward,
                    a_step_backward_is_refused_with_advice,
                    it_is_rewound_by_name_only,
                    it_is_deleted,
                    they_are_listed_by_name,
                    it_is_committed_with_the_read_model,
                    it_is_rolled_back_with_the_read_model,
                    a_step_backward_leaves_the_transaction_usable,
                    names_are_kept_to_the_character,
                }
            );
            area!(
                $database,
                append_only {
                    an_update_is_refused,
                    a_delete_is_refused,
                    a_refusal_in_a_savepoint_leaves_the_transaction_usable,
                }
            );
            area!(
                $database,
                bad_input {
                    a_stream_that_cannot_be_named,
                    names_as_long_as_the_limit_are_kept,
                    no_events,
                    names_of_an_event_that_cannot_be_kept,
                    the_message_counts_the_event,
                    an_event_version_below_one,
                    text_that_is_not_json,
                    a_value_that_cannot_be_json,
                    json_that_is_nested_too_deep,
                    json_above_the_stores_limit,
                    an_event_id_that_comes_twice_in_the_batch,
                    an_event_id_that_is_recorded_already,
                    a_time_that_cannot_be_kept,
                    an_expected_version_below_zero,
                    a_batch_that_would_overflow_the_version,
                    a_limit_of_zero,
                    a_range_of_versions_below_zero,
                    a_range_of_versions_that_ends_before_it_begins,
                    a_filter_that_names_nothing,
                    a_filter_by_a_name_that_nothing_can_have,
                    a_position_below_zero,
                    a_projection_that_cannot_be_named,
                }
            );
            area!(
                $database,
                fidelity {
                    json_text_is_kept_byte_for_byte,
                    a_large_payload_is_kept_whole,
                    a_payload_of_tens_of_megabytes_is_kept_whole,
                    no_metadata_is_not_the_metadata_null,
                    a_payload_is_decoded_as_the_type_that_was_written,
                    a_payload_of_another_form_is_an_error_that_names_the_event,
                    aggregates_are_told_apart_to_the_character,
                    names_of_events_are_told_apart_to_the_character,
                    times_are_kept_to_the_microsecond,
                    what_is_finer_than_a_microsecond_is_cut_off,
                    times_do_not_decide_the_order,
                }
            );
            area!(
                $database,
                migrations {
                    they_are_applied_once,
                    many_may_start_at_once,
                    they_are_part_of_the_applications_transaction,
                    a_database_of_a_newer_version_is_refused,
                    the_applications_own_migrations_are_no_concern,
                    a_table_of_the_application_is_not_taken_over,
                    a_view_of_the_application_is_not_taken_over,
                }
            );
            area!(
                $database,
                missing_migrations {
                    appending_says_so,
                    reading_says_so,
                    checkpoints_say_so,
                    the_connection_goes_on_and_can_migrate,
                }
            );
            area!($database, model { any_sequence_of_steps_does_what_the_model_says });
            area!(
                $database,
                properties {
                    any_json_text_is_kept_byte_for_byte,
                    any_value_is_decoded_as_it_was_written,
                    any_name_without_control_characters_is_kept,
                    any_other_name_is_refused,
                    any_time_of_nine_thousand_years_is_kept_to_the_microsecond,
                }
            );
        }
    };
}

#[cfg(feature = "sqlite")]
conformance!(sqlite: crate::support::Sqlite);
#[cfg(all(feature = "sqlite", feature = "r2d2"))]
conformance!(sqlite_in_a_pool: crate::support::InAPool<crate::support::Sqlite>);
#[cfg(feature = "sqlite")]
conformance!(sqlite_in_an_enum: crate::support::InAnEnum<crate::support::Sqlite>);

#[cfg(feature = "postgres")]
conformance!(postgres: crate::support::Postgres);
#[cfg(feature = "postgres")]
conformance!(postgres_gapless: crate::support::Gapless<crate::support::Postgres>);
#[cfg(all(feature = "postgres", feature = "r2d2"))]
conformance!(postgres_in_a_pool: crate::support::InAPool<crate::support::Postgres>);
#[cfg(feature = "postgres")]
conformance!(postgres_in_an_enum: crate::support::InAnEnum<crate::support::Postgres>);

#[cfg(feature = "mysql")]
conformance!(mysql: crate::support::Mysql);
#[cfg(feature = "mysql")]
conformance!(mysql_gapless: crate::support::Gapless<crate::support::Mysql>);
#[cfg(feature = "mysql")]
conformance!(mysql_read_committed: crate::support::ReadCommitted);
#[cfg(all(feature = "mysql", feature = "r2d2"))]
conformance!(mysql_in_a_pool: crate::support::InAPool<crate::support::Mysql>);
#[cfg(feature = "mysql")]
conformance!(mysql_in_an_enum: crate::support::InAnEnum<crate::support::Mysql>);
