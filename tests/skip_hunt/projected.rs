use std::env;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_event_store::projection::{Projection, ProjectionError, Runner, RunnerHandle, repartition};
use diesel_event_store::{EventConnection, Position};
use test_support::random::Random;
use test_support::witness::{Entry, committed_after};
use test_support::{TestDatabase, eventually, execute, wait_for_projection};

use super::hunt::{EVENT_TYPES, Figures, Hunt, OWN, TURN, WRITERS, round};
use super::reader::Filter;
use super::session::{self, Sessions};
use super::writer::Writer;

const ROUNDS: usize = 2;
const RUNNERS: usize = 2;

struct Style {
    name: &'static str,
    filter: Filter,
    partitions: i32,
    batch_size: usize,
}

const STYLES: [Style; 4] = [
    Style { name: "everything", filter: Filter::None, partitions: 1, batch_size: 100 },
    Style { name: REPARTITIONED, filter: Filter::None, partitions: 3, batch_size: 7 },
    Style { name: "event type", filter: Filter::EventType(EVENT_TYPES[1]), partitions: 2, batch_size: 20 },
    Style { name: "own", filter: Filter::AggregateType(OWN), partitions: 1, batch_size: 3 },
];
const REPARTITIONED: &str = "repartitioned";

impl Style {
    /// It writes down what it is given.
    fn projection<C: EventConnection>(&self) -> Projection<C> {
        let name = self.name;
        let projection = Projection::new(name, 1, move |conn: &mut C, event| {
            let (position, id) = (event.position(), event.id());
            execute(conn, &format!("INSERT INTO seen VALUES ('{name}', {position}, '{id}')"))?;
            Ok(())
        });
        let projection = match self.filter {
            Filter::None => projection,
            Filter::EventType(name) => projection.event_types([name]),
            Filter::AggregateType(name) => projection.aggregate_types([name]),
        };
        projection.partitions(self.partitions).batch_size(self.batch_size).lease(Duration::from_secs(2))
    }
}

/// In rounds: everybody appends at once while the runners' connections are killed, too; then, at a quiet
/// moment, each projection must have applied every event of its filter once.
pub fn hunt<D>(hunt: &Hunt) -> test_support::Result
where
    D: TestDatabase<Conn: Send>,
{
    let _turn = TURN.lock();
    let soak = Duration::from_secs(env::var("SOAK").map_or(Ok(0), |seconds| seconds.parse())?);
    let began = Instant::now();
    let mut random = Random::for_test(hunt.name);
    let database = Arc::new(hunt.database::<D>()?);
    let mut conn = database.connect()?;
    test_support::create_app_rows(&mut conn)?;
    execute(
        &mut conn,
        "CREATE TABLE seen (name VARCHAR(40) NOT NULL, position BIGINT NOT NULL, event_id CHAR(36) NOT NULL)",
    )?;
    let sessions = Sessions::new(&*database, WRITERS);
    let mut writers = (0..WRITERS)
        .map(|place| Writer::new(hunt, &*database, &sessions, place, Random::from_seed(random.draw())))
        .collect::<test_support::Result<Vec<_>>>()?;
    let victims = Victims::default();
    let runners = (0..RUNNERS).map(|_| run(&database, &victims)).collect::<Result<Vec<_>, _>>()?;

    let (mut rounds, mut killed, mut log) = (0, 0, Vec::new());
    while rounds < ROUNDS || began.elapsed() < soak {
        let kills = Random::from_seed(random.draw());
        let partitions = 1 + random.below(6) as i32;
        thread::scope(|scope| -> test_support::Result {
            let (working, done) = mpsc::channel();
            let killer = scope.spawn(|| kill_some(&*database, &victims, kills, done));
            repartition_patiently(&mut conn, partitions)?;
            round(hunt, &*database, &sessions, &mut writers, &mut random, &mut Figures::default())?;
            drop(working);
            killed += killer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            Ok(())
        })?;
        log = committed_after(&mut conn, 0)?;
        STYLES.iter().try_for_each(|style| assert_nothing_missed(&mut conn, style, &log))?;
        rounds += 1;
    }
    let failures: Vec<ProjectionError> = runners.iter().flat_map(RunnerHandle::failures).collect();
    let wrong = failures.iter().find(|failure| !is_expected(failure));
    assert!(wrong.is_none(), "{wrong:?}");
    eprintln!(
        "{}: {} events in {rounds} rounds, none missed by {} projections; {killed} connections of runners killed, \
         {} failures noticed, in {:.0?}",
        hunt.name,
        log.len(),
        STYLES.len(),
        failures.len(),
        began.elapsed(),
    );
    Ok(())
}

/// The connections of runners, for whoever kills them.
type Victims = Arc<Mutex<Vec<i64>>>;

fn run<D>(database: &Arc<D>, victims: &Victims) -> Result<RunnerHandle, ProjectionError>
where
    D: TestDatabase<Conn: Send>,
{
    let (database, victims) = (Arc::clone(database), Arc::clone(victims));
    let runner = Runner::new(move || -> test_support::Result<D::Conn> {
        let mut conn = database.connect()?;
        let id = session::id(&mut conn)?;
        victims.lock().unwrap_or_else(PoisonError::into_inner).extend(id);
        Ok(conn)
    });
    let runner = STYLES.iter().fold(runner, |runner, style| runner.projection(style.projection()));
    runner.longest_pause(Duration::from_millis(50)).start()
}

/// Until it is done. Returns how many there were.
fn kill_some<D: TestDatabase>(
    database: &D,
    victims: &Victims,
    mut random: Random,
    done: Receiver<()>,
) -> test_support::Result<usize> {
    let mut killed = 0;
    while done.recv_timeout(Duration::from_millis(50 + random.below(200))) == Err(RecvTimeoutError::Timeout) {
        let victim = {
            let mut victims = victims.lock().unwrap_or_else(PoisonError::into_inner);
            let place = random.below(victims.len().max(1) as u64) as usize;
            if victims.is_empty() { None } else { Some(victims.swap_remove(place)) }
        };
        if let Some(victim) = victim {
            session::kill(&mut database.connect()?, victim)?;
            killed += 1;
        }
    }
    Ok(killed)
}

/// However often a worker is in the way.
fn repartition_patiently<C: EventConnection>(conn: &mut C, partitions: i32) -> test_support::Result {
    eventually("the number of partitions is accepted", || {
        match repartition(conn, (REPARTITIONED, 1), partitions) {
            Err(error) if error.is_retryable() => Ok(false),
            outcome => Ok(outcome.map(|()| true)?),
        }
    })
}

#[derive(Debug, PartialEq, Eq, QueryableByName)]
struct Seen {
    #[diesel(sql_type = BigInt)]
    position: i64,
    #[diesel(sql_type = Text)]
    event_id: String,
}

fn assert_nothing_missed<C: EventConnection>(
    conn: &mut C,
    style: &Style,
    log: &[Entry],
) -> test_support::Result {
    let end = log.last().ok_or("nothing was appended")?.position;
    wait_for_projection(conn, (style.name, 1), Position::new(end)?)?;
    let sql = format!("SELECT position, event_id FROM seen WHERE name = '{}' ORDER BY position", style.name);
    let seen: Vec<Seen> = test_support::on_any_database!(conn, conn => diesel::sql_query(sql).load(conn))?;
    let matching = log.iter().filter(|entry| style.filter.matches(entry));
    let expected: Vec<Seen> =
        matching.map(|entry| Seen { position: entry.position, event_id: entry.event_id.clone() }).collect();
    let difference = seen.iter().zip(&expected).find(|(seen, expected)| seen != expected);
    assert_eq!(difference, None, "{} has seen the first of these instead of the second", style.name);
    assert_eq!(seen.len(), expected.len(), "{} has seen fewer or more events than there are", style.name);
    Ok(())
}

/// On a busy machine a handler may take longer than a short lease.
fn is_expected(failure: &ProjectionError) -> bool {
    failure.is_retryable() || matches!(failure, ProjectionError::HasNotReturned { .. })
}
