use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use diesel_event_store::{EventStore, ExpectedVersion, NewEvent, Position, StreamId};
use tempfile::TempDir;
use test_support::sql::names;

use crate::database::CliDatabase;

/// The versioned folder of this crate's first migration.
pub const OURS: &str = "00000000000100-des_create_event_store";

/// A folder that the diesel command is run in, with a database.
pub struct Project<D> {
    folder: TempDir,
    database: D,
}

impl<D: CliDatabase> Project<D> {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder, database: D::create().expect("a new database") }
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    pub fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
    }

    pub fn write(&self, relative: &str, text: &str) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().expect("a file in the folder")).expect("the folder can be made");
        fs::write(path, text).expect("the file can be written");
    }

    /// A file of this crate, at the same place or another.
    pub fn copy_from_crate(&self, relative: &str, to: &str) {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(relative);
        let text =
            fs::read_to_string(&source).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
        self.write(to, &text);
    }

    /// Runs the command, which must succeed, and returns what it prints.
    pub fn diesel(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        let (out, err) = texts(&output);
        assert!(output.status.success(), "diesel {arguments}: {}\n{out}{err}", output.status);
        out
    }

    /// Runs the command, which must fail, and returns what it complains about.
    pub fn diesel_fails(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        let (out, err) = texts(&output);
        assert!(!output.status.success(), "diesel {arguments} should have failed\n{out}{err}");
        out + &err
    }

    fn run(&self, arguments: &str) -> Output {
        let command = diesel_command();
        Command::new(&command)
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env("DATABASE_URL", self.database.url())
            .env_remove("DIESEL_CONFIG_FILE")
            .env_remove("MIGRATION_DIRECTORY")
            .output()
            .unwrap_or_else(|error| {
                panic!(
                    "{}: {error}; set DIESEL_CLI to the diesel command, or install it: \
                     cargo install diesel_cli --no-default-features --features sqlite-bundled,postgres,mysql",
                    command.display()
                )
            })
    }

    /// Whether the command finds a migration that is not applied.
    pub fn is_pending(&self) -> bool {
        match self.diesel("migration pending").trim() {
            "true" => true,
            "false" => false,
            other => panic!("diesel migration pending: {other}"),
        }
    }

    /// The migrations that the command knows, and whether they are applied.
    pub fn migrations(&self) -> Vec<(bool, String)> {
        let list = self.diesel("migration list");
        let lines = list.lines().map(str::trim);
        lines
            .filter_map(|line| match (line.strip_prefix("[X] "), line.strip_prefix("[ ] ")) {
                (Some(name), _) => Some((true, name.to_owned())),
                (_, Some(name)) => Some((false, name.to_owned())),
                _ => None,
            })
            .collect()
    }

    pub fn connect(&self) -> D::Conn {
        self.database.connect().expect("the database can be connected to")
    }

    /// What an application does when it starts. Returns the migrations that it applied.
    pub fn start(&self) -> Vec<String> {
        diesel_event_store::run_pending_migrations(&mut self.connect()).expect("the migrations run")
    }

    /// The tables of the database, sorted, without those that the database and diesel keep for themselves.
    pub fn tables(&self) -> Vec<String> {
        let mut tables = names(&mut self.connect(), D::TABLES).expect("the tables can be listed");
        tables.retain(|table| !table.starts_with("__"));
        tables.sort();
        tables
    }

    pub fn append_an_event(&self) {
        let stream = StreamId::new("User", "alice").expect("a valid stream");
        let event = NewEvent::new("UserCreated", &"alice@example.com").expect("a valid event");
        EventStore::new()
            .append(&mut self.connect(), &stream, ExpectedVersion::Any, &[event])
            .expect("the event store works");
    }

    pub fn count_events(&self) -> usize {
        let log = EventStore::new().read_forward(&mut self.connect(), Position::START, 100);
        log.expect("the event store works").len()
    }
}

fn diesel_command() -> PathBuf {
    let command = PathBuf::from(std::env::var_os("DIESEL_CLI").unwrap_or_else(|| "diesel".into()));
    // It is run in other folders, so a relative path must not stay one; a mere name is left to the PATH.
    command.canonicalize().unwrap_or(command)
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}
