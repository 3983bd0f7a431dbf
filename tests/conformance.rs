//! One suite that proves the promises on every database, through every kind of connection.
//!
//! Each test is a function of the suite, generic over the database; what a database must bring is in `support`. A test
//! that is missing in the list below is dead code, which the compiler reports.

mod suite;
mod support;

macro_rules! area {
    ($database:ty, $area:ident $(in $folder:ident)? { $($test:ident),+ $(,)? }) => {
        mod $area {
            use crate::suite::$($folder::)?$area as suite;
            $(
                #[test]
                fn $test() -> crate::support::Result {
                    suite::$test::<$database>()
                }
            )+
        }
    };
}

macro_rules! store {
    ($database:ty) => {
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
    };
}

macro_rules! projections {
    ($database:ty) => {
        area!(
            $database,
            catch_up in projections {
                every_event_is_applied_once_and_in_order,
                the_next_call_goes_on_where_the_last_has_ended,
                an_empty_log_is_caught_up_with,
                it_says_how_far_it_has_come,
                a_batch_is_no_larger_than_was_asked_for,
                a_handler_is_given_only_what_passes_the_filter,
                the_checkpoint_moves_past_what_is_filtered_out,
                every_projection_and_every_version_has_a_checkpoint_of_its_own,
                a_handler_may_append_events_which_are_applied_in_turn,
            }
        );
        area!(
            $database,
            transactions in projections {
                rows_and_checkpoint_are_committed_together,
                a_failing_handler_leaves_neither_row_nor_checkpoint,
                in_the_applications_transaction_it_is_part_of_it,
                a_failure_leaves_the_applications_transaction_usable,
                a_handler_may_open_transactions_of_its_own,
                a_handler_that_commits_is_found_out,
                a_handler_that_rolls_back_is_found_out,
                a_handler_that_leaves_a_transaction_open_is_found_out,
                a_handler_that_ends_the_transaction_and_fails_is_found_out,
                a_handler_that_rolls_back_by_sql_and_fails_moves_nothing,
            }
        );
        area!(
            $database,
            inline in projections {
                the_read_model_is_committed_with_the_append,
                an_error_of_the_handler_rolls_the_append_back,
                it_is_not_tried_again_and_no_policy_applies,
                a_panic_of_the_handler_is_an_error,
                what_the_filter_does_not_let_through_is_passed_over,
                a_filter_lets_through_what_a_query_finds,
                a_handler_of_batches_is_given_them_at_once,
            }
        );
        area!(
            $database,
            failures in projections {
                it_stops_before_the_event_unless_it_is_told_otherwise,
                a_runner_marks_the_partition_until_it_is_resumed,
                an_event_is_skipped,
                a_constraint_that_is_checked_at_the_commit_is_a_failure,
                a_failing_handler_is_tried_again_as_often_as_was_asked_for,
                what_succeeds_when_it_is_tried_again_is_applied_once,
                an_event_that_cannot_be_decoded_has_a_policy_of_its_own,
                an_unknown_event_type_has_a_policy_of_its_own,
                a_batch_that_fails_is_narrowed_down_to_the_one_event,
                of_a_batch_that_fails_what_comes_before_the_event_is_kept,
                a_panic_is_a_failure_and_leaves_the_connection_usable,
                an_error_of_the_database_that_is_worth_another_try_does_not_count,
                another_error_of_the_database_is_a_failure,
            }
        );
        area!(
            $database,
            parking in projections {
                what_is_known_of_a_parked_event_is_recorded,
                every_kind_of_failure_is_parked_for_a_reason_of_its_own,
                later_events_of_the_aggregate_are_held_back_and_others_go_on,
                an_event_that_is_parked_alone_holds_nothing_back,
                what_is_held_back_follows_in_order_once_a_retry_succeeds,
                a_retry_that_fails_counts_and_lets_nothing_through,
                a_retry_that_fails_otherwise_records_how,
                a_held_event_that_fails_in_turn_holds_the_rest_back,
                a_held_event_never_lets_later_ones_pass_whatever_the_policy,
                a_held_event_that_is_to_be_skipped_leaves_no_trace,
                what_is_discarded_is_passed_over_for_good,
                a_held_event_can_be_discarded_before_the_one_it_waits_for,
                a_retry_of_a_held_event_waits_for_the_one_before_it,
                the_order_outlasts_the_worker,
                the_order_outlasts_a_change_of_the_partitions,
                a_runner_does_what_is_asked_for,
            }
        );
        area!(
            $database,
            leases in projections {
                what_another_worker_has_is_left_to_it,
                what_a_runner_has_is_left_to_it,
                an_expired_lease_is_taken_over,
                it_is_given_back_at_the_end_and_after_a_failure,
                a_worker_that_has_lost_its_partition_writes_nothing,
                a_worker_that_has_lost_its_partition_moves_no_checkpoint,
                every_claim_has_a_token_of_its_own,
            }
        );
        area!(
            $database,
            operating in projections {
                a_reset_applies_everything_again,
                a_reset_that_cannot_clear_the_read_model_changes_nothing,
                a_reset_forgets_what_is_parked_and_what_has_failed,
                a_reset_is_part_of_the_applications_transaction,
                a_reset_leaves_other_projections_alone,
                a_runner_begins_anew_after_a_reset,
                resume_lets_only_failed_partitions_go_on,
                status_tells_how_far_behind_it_is,
                status_of_a_projection_that_nobody_runs_is_not_healthy,
                status_knows_every_state,
                status_of_no_projection_is_empty,
            }
        );
        area!(
            $database,
            promoting in projections {
                the_old_version_is_retired_and_refused,
                a_version_that_is_behind_is_refused,
                a_swap_that_fails_changes_nothing,
                a_runner_of_the_old_version_applies_nothing_any_more,
                a_retired_version_stays_retired_when_it_is_repartitioned,
                a_retired_version_is_not_promoted,
                other_projections_are_left_alone,
                it_is_promoted_once_all_its_partitions_have_come_so_far,
            }
        );
        area!(
            $database,
            waiting in projections {
                what_is_reached_is_not_waited_for,
                one_reads_ones_own_writes,
                it_gives_up_in_the_end,
                a_projection_that_nobody_has_run_is_waited_for,
                all_partitions_are_waited_for,
                a_projection_that_has_failed_is_not_waited_for,
                a_retired_version_is_not_waited_for,
            }
        );
        area!(
            $database,
            restored in projections {
                a_checkpoint_beyond_the_log_is_refused,
                a_log_without_the_last_event_that_was_applied_is_refused,
                a_log_where_the_last_event_comes_later_is_refused,
                after_a_reset_the_read_model_is_built_anew,
                a_runner_stops_and_says_so,
                gaps_are_no_sign_of_another_log,
            }
        );
        area!(
            $database,
            partitions in projections {
                each_partition_applies_its_aggregates,
                an_aggregate_stays_in_its_partition,
                what_a_projection_was_begun_with_stays,
                the_number_is_changed_up_and_down,
                the_last_of_several_changes_counts,
                a_change_is_part_of_the_applications_transaction,
                partitions_that_are_apart_meet_before_the_number_changes,
                any_change_at_any_point_neither_skips_nor_repeats,
                a_runner_changes_it_while_others_append,
            }
        );
        area!(
            $database,
            runner in projections {
                what_is_there_already_is_applied_and_what_comes_later,
                a_batch_is_no_larger_than_was_asked_for,
                what_is_appended_in_a_transaction_is_applied_after_its_commit,
                what_is_rolled_back_is_never_applied,
                everything_is_applied_once_while_many_append,
                several_projections_run_side_by_side,
                to_stop_finishes_the_batch_and_gives_the_partitions_back,
                dropping_the_handle_stops_it,
                it_stops_while_a_retry_is_waited_for,
                its_failures_are_told_once,
                it_goes_on_after_it_was_resumed,
                its_progress_is_told,
                whoever_is_told_may_panic,
                without_a_connection_it_does_not_start,
                it_waits_until_a_connection_can_be_had,
                a_handler_that_ends_the_transaction_stops_it,
            }
        );
        area!(
            $database,
            several_runners in projections {
                they_share_fairly_and_take_over,
                what_cannot_be_shared_equally_is_shared_as_fairly_as_it_can_be,
                one_partition_is_for_one_and_the_other_stands_by,
            }
        );
        area!(
            $database,
            bad_input in projections {
                a_projection_that_cannot_be_named,
                a_name_as_long_as_the_limit_is_kept,
                a_version_below_one,
                a_batch_size_out_of_range,
                a_number_of_partitions_out_of_range,
                a_lease_too_short_or_too_long,
                a_filter_that_names_nothing,
                a_runner_without_a_projection,
                a_runner_that_cannot_be_named,
                a_runner_whose_name_leaves_no_room_for_its_id,
                the_same_name_twice_in_a_runner,
                a_projection_that_nobody_has_run,
                tables_that_are_missing,
                one_table_that_is_missing,
            }
        );
    };
}

/// Projections take their time, and what they do does not depend on every kind of connection.
macro_rules! conformance {
    ($name:ident: $database:ty) => {
        mod $name {
            store!($database);
            mod projections {
                projections!($database);
            }
        }
    };
    ($name:ident: $database:ty, without projections) => {
        mod $name {
            store!($database);
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
conformance!(postgres_gapless: crate::support::Gapless<crate::support::Postgres>, without projections);
#[cfg(all(feature = "postgres", feature = "r2d2"))]
conformance!(postgres_in_a_pool: crate::support::InAPool<crate::support::Postgres>);
#[cfg(feature = "postgres")]
conformance!(postgres_in_an_enum: crate::support::InAnEnum<crate::support::Postgres>, without projections);

#[cfg(feature = "mysql")]
conformance!(mysql: crate::support::Mysql);
#[cfg(feature = "mysql")]
conformance!(mysql_gapless: crate::support::Gapless<crate::support::Mysql>, without projections);
#[cfg(feature = "mysql")]
conformance!(mysql_read_committed: crate::support::ReadCommitted);
#[cfg(all(feature = "mysql", feature = "r2d2"))]
conformance!(mysql_in_a_pool: crate::support::InAPool<crate::support::Mysql>, without projections);
#[cfg(feature = "mysql")]
conformance!(mysql_in_an_enum: crate::support::InAnEnum<crate::support::Mysql>);
