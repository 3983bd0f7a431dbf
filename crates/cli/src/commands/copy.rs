use std::time::Duration;

use diesel_event_store::EventStore;
use diesel_event_store::operate::FreezeError;
use diesel_event_store::transfer::{self, CarriedProjection, Copied, CopyError, CopyOptions, CopyPlan, Fate};
use serde_json::json;

use super::freeze::HAS_MOVED;
use super::guide::Guide;
use super::to_type::{on, quoted};
use crate::arguments::{Copying, Patience};
use crate::confirm::confirm;
use crate::database::{Access, Database};
use crate::failure::{Failure, Result};
use crate::interrupt;
use crate::output::{Output, counted, number};
use crate::progress::Progress;
use crate::secrets::shown;

const SOURCE_CLOSED: &str = "if it was frozen by hand: diesel-event-store unfreeze; if it has moved, and is \
    lost there: diesel-event-store unfreeze --target-is-lost";
const DISCARD: &str = "diesel-event-store import --discard --yes";

/// The two databases, and what else was typed.
pub struct Places<'a> {
    pub from: &'a str,
    pub to: &'a str,
    copying: &'a Copying,
}

impl Places<'_> {
    fn open(&self, source: Access, target: Access) -> Result<(Database, Database)> {
        Ok((Database::open(Some(self.from), source)?, Database::open(Some(self.to), target)?))
    }

    fn interrupted(&self, message: &str, advice: &str) -> Failure {
        Failure::Interrupted { message: message.to_owned(), advice: format!("to go on: {advice}") }
    }

    /// What to type during the switch.
    fn closed(&self) -> String {
        format!("run it again; or, to take it back: {} --abandon --yes", self.named())
    }

    fn named(&self) -> String {
        format!("diesel-event-store copy {} {}", quoted(&shown(self.from)), quoted(&shown(self.to)))
    }

    /// What to type if that is not to be finished yet.
    fn mid_switch(&self) -> String {
        format!("to finish it, run it without --follow; to take it back: {} --abandon --yes", self.named())
    }

    /// With the same words.
    fn command(&self) -> String {
        let Copying { keep, rebuild, run, follow, .. } = self.copying;
        let option = |name: &str, value: &String| format!(" --{name}={}", quoted(value));
        let kept = keep.iter().map(|projection| option("keep", projection));
        let rebuilt = rebuild.iter().map(|projection| option("rebuild", projection));
        let run = run.iter().map(|command| option("run", command));
        let follow = follow.then(|| " --follow".to_owned());
        let options: String = kept.chain(rebuilt).chain(run).chain(follow).collect();
        self.named() + &options
    }

    /// What to type then.
    fn explained(&self, error: CopyError) -> Failure {
        let (code, advice) = match &error {
            CopyError::Undecided { projections, .. } => {
                return undecided(error.to_string(), projections);
            }
            CopyError::Stopped | CopyError::NotSwitched if interrupt::is_wanted() => {
                return self.interrupted("interrupted; the source is in use as before", &self.command());
            }
            CopyError::ReadModels(_) if interrupt::is_wanted() => {
                return self.interrupted("interrupted; both logs are closed", &self.closed());
            }
            CopyError::ReadModels(_) => ("read_models", self.closed()),
            CopyError::NotSwitched => return Failure::Unconfirmed(self.would_switch()),
            CopyError::UnknownProjection { .. } | CopyError::Contradiction { .. } => {
                return Failure::Usage(error.to_string());
            }
            CopyError::SourceClosed(_) => ("log_closed", on(self.from, SOURCE_CLOSED)),
            CopyError::MidSwitch => ("mid_switch", self.mid_switch()),
            CopyError::TargetClosed(_) | CopyError::TargetInUse | CopyError::SameLog => {
                ("target_in_use", "name another database".to_owned())
            }
            CopyError::SourceOpened => ("source_opened", "run it again".to_owned()),
            CopyError::OtherCopy { .. } => ("other_copy", on(self.to, DISCARD)),
            CopyError::Diverged { .. } => ("diverged", self.on_both("diesel-event-store verify")),
            CopyError::Differs(_) => ("differs", on(self.to, DISCARD)),
            CopyError::ArchivedSince { .. } => ("archived_since", "copy into a new database".to_owned()),
            CopyError::Freeze(FreezeError::InTheWay { .. }) => {
                ("in_the_way", "end them, or wait for longer: --wait 300; then run it again".to_owned())
            }
            CopyError::Freeze(FreezeError::HasMoved(_)) => ("has_moved", on(self.from, HAS_MOVED)),
            CopyError::Overtaken => ("overtaken", "if no other is running, run it again".to_owned()),
            // It may be either of them.
            _ => return Failure::from(error).change_advice(|advice| self.on_both(&advice)),
        };
        Failure::new(code, error).advice(advice)
    }

    fn on_both(&self, advice: &str) -> String {
        format!("{}; {}", on(self.from, advice), on(self.to, advice))
    }

    pub fn would_switch(&self) -> String {
        format!("appends to {} would be refused from then on", shown(self.from))
    }
}

pub fn run(copying: &Copying, output: &mut Output) -> Result {
    let places = Places { from: &copying.from, to: &copying.to, copying };
    match (copying.abandon, copying.dry_run) {
        (true, _) => abandon(&places, &copying.patience, output),
        (_, true) => look(&places, &options(copying), output),
        _ => copy(&places, copying, output),
    }
}

fn options(copying: &Copying) -> CopyOptions {
    let to = CopyOptions::to(shown(&copying.to)).patience(waits(&copying.patience));
    let kept = copying.keep.iter().fold(to, CopyOptions::keep);
    copying.rebuild.iter().fold(kept, CopyOptions::rebuild)
}

fn waits(patience: &Patience) -> Duration {
    Duration::from_secs(patience.wait)
}

/// What a copy would do.
fn look(places: &Places<'_>, options: &CopyOptions, output: &mut Output) -> Result {
    let (mut source, mut target) = places.open(Access::Look, Access::LookAhead)?;
    let plan = transfer::look(&mut source, &mut target, options).map_err(|error| places.explained(error))?;
    let projections: Vec<_> = plan.projections().iter().map(object).collect();
    let object = json!({
        "log_id": plan.log_id().to_string(), "is_done": plan.is_done(), "after": plan.after().get(),
        "end": plan.end().get(), "projections": projections,
    });
    output.answer(&object, said(&plan, places))?;
    match plan.undecided() {
        projections if projections.is_empty() || plan.is_done() => Ok(()),
        projections => Err(undecided("it would be refused".to_owned(), &projections)),
    }
}

/// What to type for them.
fn undecided(message: String, projections: &[String]) -> Failure {
    let names: Vec<_> = projections.iter().map(|name| format!("--rebuild {}", quoted(name))).collect();
    Failure::Undecided { message, advice: format!("if their tables do not move along: {}", names.join(" ")) }
}

fn object(carried: &CarriedProjection) -> serde_json::Value {
    json!({ "name": carried.id().name(), "version": carried.id().version(), "fate": word(carried.fate()) })
}

fn word(fate: Fate) -> &'static str {
    match fate {
        Fate::Kept => "kept",
        Fate::Rebuilt => "rebuilt",
        Fate::Stays => "stays",
        _ => "undecided",
    }
}

fn said(plan: &CopyPlan, places: &Places<'_>) -> String {
    let (after, end) = (number(plan.after().get()), number(plan.end().get()));
    if plan.is_done() {
        return format!("the log has moved: {} is open", shown(places.to));
    }
    let mut lines = match plan.after().get() {
        0 => vec![format!("would copy everything to position {end}")],
        _ => vec![format!("would copy positions {after} to {end}; what is below is there")],
    };
    lines.extend(
        plan.projections().iter().map(|carried| format!("{}: {}", carried.id(), told(carried.fate()))),
    );
    lines.push(format!("then, after a question, {}", places.would_switch()));
    lines.join("\n")
}

fn told(fate: Fate) -> &'static str {
    match fate {
        Fate::Kept => "its checkpoint travels; move its tables before its workers start there",
        Fate::Rebuilt => "begins with the first event",
        Fate::Stays => "goes on where it is in the target",
        _ => "say --keep or --rebuild",
    }
}

fn copy(places: &Places<'_>, copying: &Copying, output: &mut Output) -> Result {
    interrupt::listen()?;
    let (mut source, mut target) = places.open(Access::Change, Access::Create)?;
    let end = EventStore::new().last_position(&mut source)?;
    let progress = Progress::of_positions("copying", end, output.is_json);
    let mut guide = Guide { places, copying, progress };
    let copied = transfer::copy_with(&mut source, &mut target, &options(copying), &mut guide);
    drop(guide);
    say(&copied.map_err(|error| places.explained(error))?, places, output)
}

fn say(copied: &Copied, places: &Places<'_>, output: &mut Output) -> Result {
    let object = json!({
        "log_id": copied.log_id().to_string(), "events": copied.events(),
        "last_position": copied.last_position().get(), "closed_seconds": copied.closed_for().as_secs_f64(),
    });
    let (events, end) = (counted(copied.events(), "event"), number(copied.last_position().get()));
    let text = match copied.closed_for() {
        Duration::ZERO => format!("the log has moved already: {} is open", shown(places.to)),
        closed => format!(
            "closed for {:.1} s; {events} copied, all equal to position {end}; {} is open",
            closed.as_secs_f64(),
            shown(places.to)
        ),
    };
    output.answer(&object, text)
}

fn abandon(places: &Places<'_>, patience: &Patience, output: &mut Output) -> Result {
    let (mut source, mut target) = places.open(Access::Change, Access::Change)?;
    let would = format!("appends to {} would begin again; the target stays closed", shown(places.from));
    confirm(patience.yes, &would)?;
    let abandoned = transfer::abandon(&mut source, &mut target, waits(patience));
    let is_abandoned = abandoned.map_err(|error| places.explained(error))?;
    let closed = EventStore::new().log_closed(&mut source)?;
    let text = match (is_abandoned, closed) {
        (true, None) => {
            format!("the copy is abandoned; to continue it, run it again: {}", places.named())
        }
        (true, Some(closed)) => format!(
            "the copy is abandoned, but {} stays {}: {}",
            shown(places.from),
            closed.state(),
            closed.note()
        ),
        (false, _) => "no copy is under way".to_owned(),
    };
    output.answer(&json!({ "done": text }), &text)
}
