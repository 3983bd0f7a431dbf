use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Look at an event store of diesel_event_store, and move it to another database.
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 something was found, 4 not done, because it was not
/// confirmed (--yes) or not decided (--keep, --rebuild), 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "diesel-event-store", version)]
pub struct Arguments {
    /// A file of SQLite, or postgres://… or mysql://…; also in a file .env.
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// An object of JSON per line, for programs.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create the event store's tables, or bring them up to date.
    Migrate,
    /// The log, and how far projections have come.
    Status,
    /// The streams, in the order of their names.
    Streams {
        /// Only of this aggregate type.
        aggregate_type: Option<String>,
        /// Only those whose id begins so.
        prefix: Option<String>,
        /// Show at most this many. Default: 100, and all with --json.
        #[arg(long)]
        limit: Option<usize>,
    },
    /// The events of one stream.
    Stream {
        aggregate_type: String,
        aggregate_id: String,
        /// The tenant that the aggregate belongs to.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// One event.
    Event {
        /// A UUID.
        id: String,
    },
    /// What belongs to a correlation id: each event below the one that has caused it.
    Trace { correlation: String },
    /// The events of the whole log, without those that were archived.
    Log {
        /// Only above this position.
        #[arg(long, default_value_t = 0)]
        after: i64,
        /// Only these types of events, with commas between.
        #[arg(long, value_delimiter = ',')]
        types: Vec<String>,
        /// Only with this correlation id.
        #[arg(long)]
        correlation: Option<String>,
        /// At most so many.
        #[arg(long)]
        limit: Option<u64>,
        /// Waits for new events, and misses none.
        #[arg(long)]
        follow: bool,
    },
    /// Projections: how far they have come, and what an operator does with them.
    Projections {
        #[command(subcommand)]
        action: Option<Action>,
    },
    /// Write the whole log to a file.
    ///
    /// An earlier export of the same log is replaced; any other file only if that is confirmed.
    Export {
        /// Compressed if it ends in .gz or .zst; - is standard output.
        file: String,
        /// Do it without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Bring the log of a file into this database.
    Import {
        /// Compressed if it ends in .gz or .zst; - is standard input.
        #[arg(required_unless_present = "discard")]
        file: Option<String>,
        /// Put the events of an archive back into the log that they were taken from.
        #[arg(long, conflicts_with_all = ["discard", "new"])]
        restore: bool,
        /// The file has events from elsewhere, one in each line: they are appended as new ones.
        #[arg(long, conflicts_with = "discard")]
        new: bool,
        /// Write the old and the new position of each event to this file: a line of JSON for each.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["discard", "new", "restore"])]
        map: Option<String>,
        /// Take back an import or a copy that has not come to its end: the store is empty then.
        #[arg(long, conflicts_with = "file")]
        discard: bool,
        /// Do it without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Take whole streams that have ended out of the log, into a file.
    ///
    /// Everything is written to the file and compared before anything is removed. Killed, run it again. To
    /// load an aggregate of such a stream is refused from then on. `import --restore` puts them back.
    Archive {
        /// Streams whose last event lies before this position or time: 4300, 2026-01-01,
        /// 2026-01-01T12:00:00Z.
        #[arg(long, value_name = "POSITION|TIME")]
        before: String,
        /// Compressed if it ends in .gz or .zst. If it is there, only what it holds is removed.
        file: String,
        /// Do it without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Move the log to another database while it is in use.
    ///
    /// The application goes on until little is left. Then, after a question, appends to the source are
    /// refused from then on, and the target opens. Killed, run it again.
    Copy(Copying),
    /// Refuse appends from every process, until `unfreeze`. What is there can be read.
    Freeze {
        /// Why: who is refused is told. Such as "it moves to postgres://db/shop".
        reason: String,
        #[command(flatten)]
        patience: Patience,
    },
    /// Let appends to a frozen log begin again. A log that has moved is refused.
    Unfreeze {
        /// Open a log whose other database is lost: the one it has moved to, or the one it was copied from.
        #[arg(long, visible_alias = "source-is-lost")]
        target_is_lost: bool,
        #[command(flatten)]
        patience: Patience,
    },
    /// Read the whole log, and find what does not agree with the rest of it, and with its seals.
    Verify,
    /// Seal everything up to here: `verify` finds from then on what was changed. Keep the chain elsewhere.
    Seal,
    /// Set the heads of streams, and what counts positions, from the events: after an import by hand or a
    /// restore.
    Repair {
        /// Do it without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Find what is wrong, or will be, and what to type. Reads a little, and mends nothing.
    Doctor,
    /// Look at the store in a web browser. Only this computer can, and nothing is changed.
    #[cfg(feature = "browse")]
    Browse,
    /// Write what a shell needs to complete this command.
    Completions { shell: clap_complete::Shell },
    /// Write the manual: one page with all commands, or a page for each into a folder.
    Man {
        /// Where the pages come to: diesel-event-store.1, diesel-event-store-copy.1 and so on.
        folder: Option<PathBuf>,
    },
}

/// How a log moves.
#[derive(Debug, clap::Args)]
pub struct Copying {
    /// A file of SQLite, or postgres://… or mysql://….
    pub from: String,
    /// The same; tables are created. Or where the log was before: what is new goes back.
    pub to: String,
    /// The read model of this projection moves, too: its checkpoint travels.
    #[arg(long, value_name = "NAME")]
    pub keep: Vec<String>,
    /// The read model of this projection is built again: it begins with the first event.
    #[arg(long, value_name = "NAME")]
    pub rebuild: Vec<String>,
    /// Only say what would happen.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not switch: the target follows the source until Ctrl-C, as a live copy that can be read.
    #[arg(long, conflicts_with_all = ["dry_run", "yes", "run"])]
    pub follow: bool,
    /// Copies the tables of the read models that move. The shell runs it during the switch, with the
    /// databases in COPY_FROM and COPY_TO; again if the copy is run again.
    #[arg(long, value_name = "COMMAND", requires = "keep")]
    pub run: Option<String>,
    /// Take back a copy that has not come to its end: the source takes appends again.
    #[arg(long, conflicts_with_all = ["keep", "rebuild", "dry_run", "follow"])]
    pub abandon: bool,
    #[command(flatten)]
    pub patience: Patience,
}

/// What freezing and opening have in common.
#[derive(Debug, clap::Args)]
pub struct Patience {
    /// Wait for transactions in the way for so long.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    pub wait: u64,
    /// Do it without asking.
    #[arg(long)]
    pub yes: bool,
}

/// Which version of a projection is meant.
#[derive(Debug, clap::Args)]
pub struct Named {
    pub name: String,
    /// Default: the newest.
    #[arg(long)]
    pub version: Option<i32>,
    /// Do it without asking.
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Begin with the first event again. The read model is yours to empty.
    Reset(Named),
    /// Let partitions that have failed go on.
    Resume(Named),
    /// Put it somewhere else in the log, back or ahead. The read model is yours to make fit.
    Rewind {
        #[command(flatten)]
        named: Named,
        /// The events after this are applied: 4300, 2026-01-01, 2026-01-01T12:00:00Z, now.
        #[arg(long, value_name = "POSITION|TIME|now")]
        to: String,
    },
    /// List parked events, with their errors.
    Parked(Named),
    /// Give a parked event to the handler again; without --position, all.
    Retry {
        #[command(flatten)]
        named: Named,
        #[arg(long)]
        position: Option<i64>,
    },
    /// Give up a parked event; without --position, all.
    Discard {
        #[command(flatten)]
        named: Named,
        #[arg(long)]
        position: Option<i64>,
    },
    /// Put this version in the place of the older ones.
    Promote(Named),
    /// Change the number of partitions.
    Repartition {
        #[command(flatten)]
        named: Named,
        #[arg(long)]
        partitions: i32,
    },
}
