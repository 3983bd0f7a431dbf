use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Look at an event store of diesel_event_store, and move it to another database.
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 something was found, 4 not done, because it was not
/// confirmed (--yes) or not decided (--keep, --rebuild), 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "diesel-event-store", version)]
pub struct Arguments {
    /// An SQLite file, or postgres://… or mysql://…. It may also be in a file .env.
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Print one JSON object per line, for programs.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create the event store's tables, or bring them up to date.
    Migrate,
    /// Show the log, and how far the projections are.
    Status,
    /// List the streams in the order of their names.
    Streams {
        /// Only streams of this aggregate type.
        aggregate_type: Option<String>,
        /// Only streams whose id begins with this.
        prefix: Option<String>,
        /// Show at most this many. Default: 100, and all with --json.
        #[arg(long)]
        limit: Option<usize>,
    },
    /// Show the events of one stream.
    Stream {
        aggregate_type: String,
        aggregate_id: String,
        /// The tenant that the aggregate belongs to.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Show one event.
    Event {
        /// A UUID.
        id: String,
    },
    /// Show the events of a correlation id, each below the one that caused it.
    Trace { correlation: String },
    /// Show the events of the whole log, except archived ones.
    Log {
        /// Only events after this position.
        #[arg(long, default_value_t = 0)]
        after: i64,
        /// Only events of these types, separated by commas.
        #[arg(long, value_delimiter = ',')]
        types: Vec<String>,
        /// Only events with this correlation id.
        #[arg(long)]
        correlation: Option<String>,
        /// Show at most this many.
        #[arg(long)]
        limit: Option<u64>,
        /// Wait for new events, and miss none.
        #[arg(long)]
        follow: bool,
    },
    /// Show how far the projections are, and operate them.
    Projections {
        #[command(subcommand)]
        action: Option<Action>,
    },
    /// Write the whole log to a file.
    ///
    /// An earlier export of the same log is replaced. Any other file is only replaced if you confirm it.
    Export {
        /// Compressed if its name ends in .gz or .zst; - is standard output.
        file: String,
        /// Do it without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Import a log from a file into this database.
    Import {
        /// Compressed if its name ends in .gz or .zst; - is standard input.
        #[arg(required_unless_present = "discard")]
        file: Option<String>,
        /// Put the events of an archive back into the log from which they were taken.
        #[arg(long, conflicts_with_all = ["discard", "new"])]
        restore: bool,
        /// The file has events from elsewhere, one per line, which are appended as new ones.
        #[arg(long, conflicts_with = "discard")]
        new: bool,
        /// Write the old and the new position of each event to this file, one line of JSON for each.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["discard", "new", "restore"])]
        map: Option<String>,
        /// Take back an import or a copy that is not finished. The store is empty afterwards.
        #[arg(long, conflicts_with = "file")]
        discard: bool,
        /// Do it without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Move whole streams that have ended from the log to a file.
    ///
    /// Everything is written to the file and compared before anything is removed. If it is killed, run it
    /// again. Aggregates of these streams can no longer be loaded, until `import --restore` puts the events
    /// back.
    Archive {
        /// Streams whose last event lies before this position or time: 4300, 2026-01-01,
        /// 2026-01-01T12:00:00Z.
        #[arg(long, value_name = "POSITION|TIME")]
        before: String,
        /// Compressed if its name ends in .gz or .zst. If the file exists, only its events are removed.
        file: String,
        /// Do it without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Move the log to another database while it is in use.
    ///
    /// The application keeps running until little is left. Then, after a question, the source refuses all
    /// appends, and the target opens. If it is killed, run it again.
    Copy(Copying),
    /// Refuse appends from every process until `unfreeze`. The log can still be read.
    Freeze {
        /// Reason, shown to everyone whose append is refused: "it moves to postgres://db/shop".
        reason: String,
        #[command(flatten)]
        patience: Patience,
    },
    /// Allow appends to a frozen log again. A log that has moved stays frozen.
    Unfreeze {
        /// Open a log whose other database is lost: the one it has moved to, or the one it was copied from.
        #[arg(long, visible_alias = "source-is-lost")]
        target_is_lost: bool,
        #[command(flatten)]
        patience: Patience,
    },
    /// Read the whole log, and check that it is consistent and matches its seals.
    Verify,
    /// Seal the log up to its end, so that `verify` finds every later change. Keep the chain elsewhere.
    Seal,
    /// Set the heads of streams and the next position from the events, after an import by hand or a restore.
    Repair {
        /// Do it without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Find problems, and say what to type. Reads a little, and mends nothing.
    Doctor,
    /// Look at the store in a web browser, on this computer only. Nothing is changed.
    #[cfg(feature = "browse")]
    Browse,
    /// Write the completions of this command for a shell.
    Completions { shell: clap_complete::Shell },
    /// Write the manual: one page for all commands, or one for each into a folder.
    Man {
        /// Folder to write the pages to: diesel-event-store.1, diesel-event-store-copy.1 and so on.
        folder: Option<PathBuf>,
    },
}

/// How a log moves.
#[derive(Debug, clap::Args)]
pub struct Copying {
    /// An SQLite file, or postgres://… or mysql://….
    pub from: String,
    /// The same; its tables are created. Or a database in which the log was before: new events go back.
    pub to: String,
    /// The read model of this projection moves, too, and so does its checkpoint.
    #[arg(long, value_name = "NAME")]
    pub keep: Vec<String>,
    /// The read model of this projection is built again from the first event.
    #[arg(long, value_name = "NAME")]
    pub rebuild: Vec<String>,
    /// Only say what would happen.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not switch: the target follows the source until Ctrl-C, as a live copy that can be read.
    #[arg(long, conflicts_with_all = ["dry_run", "yes", "run"])]
    pub follow: bool,
    /// Copies the tables of the read models that move. A shell runs it during the switch, with the databases
    /// in COPY_FROM and COPY_TO, and again whenever the copy is run again.
    #[arg(long, value_name = "COMMAND", requires = "keep")]
    pub run: Option<String>,
    /// Take back a copy that is not finished. The source accepts appends again.
    #[arg(long, conflicts_with_all = ["keep", "rebuild", "dry_run", "follow"])]
    pub abandon: bool,
    #[command(flatten)]
    pub patience: Patience,
}

/// What freezing and opening have in common.
#[derive(Debug, clap::Args)]
pub struct Patience {
    /// How long to wait for open transactions.
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
    /// Version of the projection; the newest by default.
    #[arg(long)]
    pub version: Option<i32>,
    /// Do it without asking.
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Begin again with the first event. Empty the read model yourself.
    Reset(Named),
    /// Let partitions that have failed continue.
    Resume(Named),
    /// Move it to another place in the log, back or ahead. Make the read model fit yourself.
    Rewind {
        #[command(flatten)]
        named: Named,
        /// Apply the events after this: 4300, 2026-01-01, 2026-01-01T12:00:00Z, now.
        #[arg(long, value_name = "POSITION|TIME|now")]
        to: String,
    },
    /// List parked events with their errors.
    Parked(Named),
    /// Try a parked event again, or all of them without --position.
    Retry {
        #[command(flatten)]
        named: Named,
        #[arg(long)]
        position: Option<i64>,
    },
    /// Give up a parked event, or all of them without --position.
    Discard {
        #[command(flatten)]
        named: Named,
        #[arg(long)]
        position: Option<i64>,
    },
    /// Replace the older versions by this one.
    Promote(Named),
    /// Change the number of partitions.
    Repartition {
        #[command(flatten)]
        named: Named,
        #[arg(long)]
        partitions: i32,
    },
}
