//! Follows a busy store in the terminal: a writer, three projections of different speed, and how far behind
//! each is. `cargo run --example live_dashboard [SECONDS]`

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel_event_store::projection::{self, Projection, ProjectionStatus, Runner};
use diesel_event_store::sqlite::{Options, Synchronous};
use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, Position, StreamId};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// A projection that spends this time on each event.
fn busy(name: &str, time_per_event: Duration) -> Projection<SqliteConnection> {
    Projection::new(name, 1, move |_conn: &mut SqliteConnection, _event| {
        thread::sleep(time_per_event);
        Ok(())
    })
    .batch_size(20)
}

fn main() -> Outcome {
    let seconds = std::env::args().nth(1).map_or(Ok(10), |seconds| seconds.parse())?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("busy.db");
    let mut conn = open(&path)?;
    diesel_event_store::run_pending_migrations(&mut conn)?;

    let connect = {
        let path = path.clone();
        move || open(&path)
    };
    let running = Runner::new(connect)
        .projection(busy("quick", Duration::ZERO))
        .projection(busy("diligent", Duration::from_micros(200)))
        .projection(busy("thoughtful", Duration::from_millis(8)))
        .start()?;

    let is_over = AtomicBool::new(false);
    let last = thread::scope(|scope| {
        let writer = scope.spawn(|| write(&path, &is_over).expect("the writer writes"));
        let shown = show(&mut conn, Duration::from_secs(seconds));
        is_over.store(true, Ordering::Relaxed);
        shown.map(|()| writer.join().expect("the writer does not panic"))
    })?;

    // `quick` and `diligent` keep up, so they apply the last event soon after it is written.
    for name in ["quick", "diligent"] {
        projection::wait_for(&mut conn, (name, 1), last, Duration::from_secs(60))?;
    }
    let statuses = projection::status(&mut conn)?;
    assert!(statuses.iter().all(ProjectionStatus::is_healthy));
    running.stop()?;
    println!("✓ {last} events");
    Ok(())
}

/// Appends between one and seven events at a time until the show is over.
fn write(path: &Path, is_over: &AtomicBool) -> Outcome<Position> {
    let mut conn = open(path)?;
    let mut last = Position::START;
    for number in 0_u64.. {
        let events = (0..1 + number % 7).map(|event| NewEvent::new("Happened", &event));
        let events = events.collect::<Result<Vec<_>, _>>()?;
        let stream = StreamId::new("Thing", number % 100)?;
        last = EventStore::new().append(&mut conn, &stream, ExpectedVersion::Any, &events)?.last_position();
        thread::sleep(Duration::from_millis(number % 20));
        if is_over.load(Ordering::Relaxed) {
            break;
        }
    }
    Ok(last)
}

/// Draws a line per projection, ten times per second. It asks only the database, so it could run in another
/// process.
fn show(conn: &mut SqliteConnection, length: Duration) -> Outcome {
    let screen = MultiProgress::new();
    let mut lines = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < length {
        let statuses = projection::status(conn)?;
        lines.resize_with(statuses.len(), || screen.add(line()));
        for (status, line) in statuses.iter().zip(&lines) {
            draw(status, line);
        }
        thread::sleep(Duration::from_millis(100));
    }
    lines.iter().for_each(ProgressBar::abandon);
    Ok(())
}

fn line() -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:12} {bar:30} {pos:>6}/{len:6} {msg}");
    ProgressBar::new(0).with_style(style.expect("a valid template"))
}

fn draw(status: &ProjectionStatus, line: &ProgressBar) {
    let health = if status.is_healthy() { "" } else { ", not running" };
    line.set_prefix(status.projection().name().to_owned());
    line.set_length(status.last_position().get().unsigned_abs());
    line.set_position(status.position().get().unsigned_abs());
    line.set_message(format!("{} behind, {:.1?}{health}", status.positions_behind(), status.lag()));
}

/// `Normal` waits for the disk less often. The last events may be lost in a power failure, which is fine for
/// a show.
fn open(path: &Path) -> Outcome<SqliteConnection> {
    let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
    Options::default().synchronous(Synchronous::Normal).apply(&mut conn)?;
    Ok(conn)
}
