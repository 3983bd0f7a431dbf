//! The process that applies the projection.

use std::time::Duration;

use diesel_event_store::EventConnection;
use diesel_event_store::projection::{OnFailure, Projection, ProjectionError, Runner, RunnerHandle};
use diesel_event_store::uuid::Uuid;
use test_support::worker::{order, report};

use super::accounts::{self, NAME};
use super::client::{Client, Job, on_database};

/// Applies the projection until it is told to stop. With how many partitions it begins is an argument, and
/// its lease in milliseconds.
pub fn apply(url: &str, arguments: &[String]) {
    let [partitions, lease] = arguments else { panic!("apply URL PARTITIONS LEASE") };
    let partitions = partitions.parse().expect("a number of partitions");
    let lease = Duration::from_millis(lease.parse().expect("a number of milliseconds"));
    on_database(url, Apply { partitions, lease });
}

struct Apply {
    partitions: i32,
    lease: Duration,
}

impl Job for Apply {
    fn run<C: Client>(self, url: &str) {
        let worker = Uuid::now_v7().to_string();
        let mut conn = C::open(url).expect("the database is there");
        accounts::begin_total(&mut conn, &worker).expect("it is the first with this name");
        let projection = projection::<C>(worker).partitions(self.partitions).lease(self.lease);
        let running = run_until_told(url, projection);
        let failures = running.failures();
        let stopped = running.stop();
        // That a partition was taken over, or the database gone, is what these tests are about.
        if let Err(error) = stopped {
            assert!(is_expected(&error), "{error:?}");
        }
        let wrong = failures.iter().find(|failure| !is_expected(failure));
        assert!(wrong.is_none(), "{wrong:?}");
    }
}

fn projection<C: EventConnection>(worker: String) -> Projection<C> {
    Projection::new(NAME, 1, move |conn: &mut C, event| accounts::apply(conn, &worker, event))
        .batch_size(20)
        .on_failure(OnFailure::Park)
        .retries(0, Duration::ZERO)
}

/// Says when it has begun.
pub fn run_until_told<C: Client>(url: &str, projection: Projection<C>) -> RunnerHandle {
    let url = url.to_owned();
    let runner = Runner::new(move || C::open(&url)).projection(projection);
    let running = runner.longest_pause(Duration::from_millis(100)).start().expect("it starts");
    report("ready");
    order();
    running
}

/// On a busy machine a handler may take longer than a short lease.
fn is_expected(failure: &ProjectionError) -> bool {
    failure.is_retryable() || matches!(failure, ProjectionError::HasNotReturned { .. })
}
