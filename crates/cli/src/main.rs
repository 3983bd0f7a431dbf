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
mod output;
mod place;
mod pretty;
mod progress;

use std::process::ExitCode;

use clap::Parser;

use arguments::Arguments;
use database::without_password;
use failure::Failure;
use output::Output;

fn main() -> ExitCode {
    // As the diesel command does. Without such a file, the environment is all there is.
    let _ = dotenvy::dotenv();
    let arguments = Arguments::parse();
    let mut output = Output::new(arguments.json);
    let url = arguments.database_url.clone();
    match commands::run(arguments, &mut output).and_then(|()| output.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of the answers wants no more of them.
        Err(Failure::ClosedPipe) => ExitCode::SUCCESS,
        Err(failure) => {
            let message = without_password(&failure.to_string(), url.as_deref());
            output.failure(&failure, &message);
            ExitCode::from(failure.exit_code())
        }
    }
}
