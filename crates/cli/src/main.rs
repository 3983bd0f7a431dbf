//! `diesel-event-store`: looks at an event store, and moves it to another database. It stands on the crate's
//! public API alone.

mod arguments;
#[cfg(feature = "browse")]
mod browse;
mod commands;
mod confirm;
mod database;
mod failure;
mod family;
mod heads;
mod interrupt;
mod line;
mod output;
mod place;
mod pretty;
mod progress;
mod secrets;
#[cfg(feature = "sqlite")]
mod sqlite_file;
mod store_error;

use std::env;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use failure::Failure;
use output::Output;
use secrets::Secrets;

fn main() -> ExitCode {
    // As the diesel command does. Without such a file, the environment is all there is.
    let _ = dotenvy::dotenv();
    let words: Vec<OsString> = env::args_os().collect();
    let secrets = Secrets::of(words.iter().cloned().chain(env::var_os("DATABASE_URL")).map(lossy));
    let arguments = match Arguments::try_parse_from(&words) {
        Ok(arguments) => arguments,
        Err(error) => return not_understood(&error, &secrets, words.contains(&"--json".into())),
    };
    let mut output = Output::new(arguments.json);
    let url = match arguments.command {
        Command::Copy(_) => String::new(), // it has named its two databases
        _ => arguments.database_url.clone().unwrap_or_default(),
    };
    let done = commands::run(arguments, &mut output).and_then(|()| output.flush());
    done.map_or_else(|failure| failed(failure.on(&url), &secrets, output), |()| ExitCode::SUCCESS)
}

fn lossy(word: OsString) -> String {
    word.to_string_lossy().into_owned()
}

/// Everything that is said about a failure goes through here, and passwords do not.
fn failed(failure: Failure, secrets: &Secrets, mut output: Output) -> ExitCode {
    let failure = failure.map(|text| secrets.hide(text));
    // The reader of the answers may want no more of them.
    if !matches!(failure, Failure::ClosedPipe) {
        output.failure(&failure);
    }
    ExitCode::from(failure.exit_code())
}

/// The arguments, or help, for which clap has words of its own.
fn not_understood(error: &clap::Error, secrets: &Secrets, is_json: bool) -> ExitCode {
    let text = secrets.hide(&error.render().ansi().to_string());
    if !error.use_stderr() {
        let _ = write!(anstream::stdout(), "{text}");
        return ExitCode::SUCCESS;
    }
    let usage = Failure::Usage(first_paragraph(&error.to_string()));
    match is_json {
        true => return failed(usage, secrets, Output::new(is_json)),
        false => drop(write!(anstream::stderr(), "{text}")),
    }
    ExitCode::from(usage.exit_code())
}

/// What is wrong, without how it is to be used.
fn first_paragraph(said: &str) -> String {
    let paragraph = said.split("\n\n").next().unwrap_or(said);
    paragraph.trim_start_matches("error: ").trim_end().to_owned()
}
