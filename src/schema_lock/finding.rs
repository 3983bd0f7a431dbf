use std::fmt;

use super::trial::{Trial, Trouble};

/// What a check has found about one event, or about the snapshots of an aggregate. It is displayed as what
/// has changed, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    name: String,
    version: i32,
    kind: FindingKind,
    text: String,
}

/// What is the matter with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FindingKind {
    /// It is not in the lock, or snapshots are not in this version. `EVENTS_LOCK=update` records it.
    New,
    /// Its shape is another, and all that was recorded can be read. `EVENTS_LOCK=update` records it.
    Changed,
    /// What was locked cannot be read any more.
    Unreadable,
    /// A field that was locked is not read any more.
    Dropped,
    /// A number that was locked is read as another, as a large one that becomes an `f64` is, or as `null`, as a
    /// large `f64` that becomes an `f32` in a flattened struct is.
    Narrowed,
    /// It was locked, and nothing reads its name.
    Gone,
    /// Two enums store different content under its name; or two states have snapshots as the same aggregate,
    /// whose type is the name.
    TwoShapes,
    /// What is stored now cannot be read back: mostly a text that has rules of its own.
    NotReadBack,
    /// The snapshots of an aggregate have another shape without a new version. The name is the aggregate's
    /// type.
    SnapshotChanged,
}

impl Finding {
    /// The stored name of the event.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version of its content.
    pub fn version(&self) -> i32 {
        self.version
    }

    /// What is the matter with it.
    pub fn kind(&self) -> FindingKind {
        self.kind
    }

    fn new(name: &str, version: i32, kind: FindingKind, text: impl fmt::Display) -> Self {
        Self { name: name.to_owned(), version, kind, text: format!("{name} version {version} {text}") }
    }

    pub(super) fn added(name: &str, version: i32) -> Self {
        let text = "is not in the lock. Record it:\n\n    EVENTS_LOCK=update cargo test";
        Self::new(name, version, FindingKind::New, text)
    }

    pub(super) fn changed(name: &str, version: i32, changes: &[String]) -> Self {
        let text = format!(
            "has another shape, and all that was recorded can be read:\n{}\nRecord it:\n\n    EVENTS_LOCK=update cargo \
             test",
            listed(changes)
        );
        Self::new(name, version, FindingKind::Changed, text)
    }

    pub(super) fn of(
        Trial { shapes, name, version }: &Trial<'_>,
        trouble: &Trouble,
        changes: &[String],
    ) -> Self {
        let reader = shapes.of;
        let (kind, what) = match trouble {
            Trouble::Unreadable { content, error } => {
                let text = format!(
                    "may have been recorded in a form that {reader} cannot read any more:\n    {content}\n    {error}"
                );
                (FindingKind::Unreadable, text)
            }
            Trouble::Narrowed { content, place, read } => {
                let text = format!(
                    "may have been recorded with a number that {reader} reads as another: {} as {read} in\n    {content}",
                    named(place)
                );
                (FindingKind::Narrowed, text)
            }
            Trouble::Dropped { content, place } => {
                let text = format!(
                    "may have been recorded with a field that {reader} does not read any more: {} in\n    {content}",
                    named(place)
                );
                (FindingKind::Dropped, text)
            }
        };
        let text = format!("{what}\n{}{}", told(changes), new_version(*version));
        Self::new(name, *version, kind, text)
    }

    pub(super) fn gone(name: &str, version: i32) -> Self {
        let text = format!(
            "is in the lock, and nothing reads it any more. Ignore it on reading, or read it as another event:\n\n    \
             #[event(retired(name = {name:?}))]\n    #[event(alias = {name:?})]\n{NOT_RECORDED}"
        );
        Self::new(name, version, FindingKind::Gone, text)
    }

    pub(super) fn two_shapes(name: &str, version: i32, enums: [&str; 2], changes: &[String]) -> Self {
        let [one, other] = enums;
        let text = format!(
            "is stored by {one} and by {other}, each in its own form:\n{}\nGive one of them another name, or both the same \
             type.",
            listed(changes)
        );
        Self::new(name, version, FindingKind::TwoShapes, text)
    }

    pub(super) fn two_states(aggregate_type: &str, version: i32, states: [&str; 2]) -> Self {
        let [one, other] = states;
        let text = format!(
            "belong to {one} and to {other}: each would be read from those of the other. Give one of them another \
             `TYPE`, or no snapshots."
        );
        Self::of_snapshot(aggregate_type, version, FindingKind::TwoShapes, text)
    }

    pub(super) fn snapshot_added(aggregate_type: &str, version: i32) -> Self {
        Self::of_snapshot(
            aggregate_type,
            version,
            FindingKind::New,
            "are not in the lock. Record them:\n\n    EVENTS_LOCK=update cargo test",
        )
    }

    pub(super) fn snapshot_changed(aggregate_type: &str, version: i32, changes: &[String]) -> Self {
        let text = format!(
            "have another shape, and those that are stored would be used all the same:\n{}\n{}",
            listed(changes),
            next_snapshots(version)
        );
        Self::of_snapshot(aggregate_type, version, FindingKind::SnapshotChanged, text)
    }

    pub(super) fn snapshot_went_back(aggregate_type: &str, version: i32, locked: i32) -> Self {
        let text =
            format!("are older than version {locked}, which is in the lock. {}", next_snapshots(locked));
        Self::of_snapshot(aggregate_type, version, FindingKind::SnapshotChanged, text)
    }

    fn of_snapshot(aggregate_type: &str, version: i32, kind: FindingKind, text: impl fmt::Display) -> Self {
        let text = format!("the snapshots of {aggregate_type}, version {version}, {text}");
        Self { name: aggregate_type.to_owned(), version, kind, text }
    }

    pub(super) fn not_read_back(Trial { shapes, name, version }: &Trial<'_>, trouble: &Trouble) -> Self {
        let reader = shapes.of;
        let what = match trouble {
            Trouble::Unreadable { content, error } => format!("    {content}\n    {error}"),
            Trouble::Dropped { content, place } => format!("    {content}\n    {} is lost", named(place)),
            Trouble::Narrowed { content, place, read } => {
                format!("    {content}\n    {} is read as {read}", named(place))
            }
        };
        let text = format!(
            "has a schema that allows what {reader} does not read back:\n{what}\nIf a text in it has rules of its own, say \
             how it looks:\n\n    shapes::<{reader}>().sample({name:?}, {version}, json!(…))\n\nIf a number has, say its \
             range at the field: `#[schemars(range(min = 1, max = 100))]`."
        );
        Self::new(name, *version, FindingKind::NotReadBack, text)
    }
}

fn named(place: &str) -> &str {
    if place.is_empty() { "the value itself" } else { place }
}

const NOT_RECORDED: &str = "\nIf no event of it has been recorded yet: EVENTS_LOCK=force cargo test";

fn new_version(version: i32) -> String {
    format!(
        "Keep it readable (`#[serde(default)]`, `#[serde(rename = \"…\")]`), or give the event a new version and say how the \
         old one becomes it:\n\n    #[event(version = {next}, upcast(version = {version}, json = function))]\n    \
         #[event(version = {next}, upcast(version = {version}, from = Type))]\n{NOT_RECORDED}",
        next = version.saturating_add(1)
    )
}

fn next_snapshots(version: i32) -> String {
    format!(
        "Give them a new version:\n\n    Snapshots::version({})\n\nIf none has been stored yet: \
         EVENTS_LOCK=force cargo test",
        version.saturating_add(1)
    )
}

fn told(changes: &[String]) -> String {
    if changes.is_empty() { String::new() } else { format!("Its schema has changed:\n{}\n", listed(changes)) }
}

fn listed(changes: &[String]) -> String {
    changes.iter().map(|change| format!("    {change}")).collect::<Vec<_>>().join("\n")
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
