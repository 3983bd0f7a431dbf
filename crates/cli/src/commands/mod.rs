mod archive;
mod ask;
mod copy;
pub mod doctor;
mod engine;
pub mod events;
mod export;
mod files;
mod freeze;
mod guide;
mod import;
mod ledger;
mod log;
mod migrate;
mod pace;
mod part_file;
pub mod projections;
mod repair;
mod seal;
mod shell;
mod status;
pub mod streams;
mod to_type;
mod verify;
mod watched;
mod zst;

use crate::arguments::{Arguments, Command};
use crate::database::{Absent, Database};
use crate::failure::Result;
use crate::output::Output;

pub fn run(arguments: Arguments, output: &mut Output) -> Result {
    let url = arguments.database_url.as_deref();
    let open = || Database::open(url, Absent::Refuse);
    match arguments.command {
        Command::Migrate => migrate::migrate(&mut Database::open(url, Absent::Create)?, output),
        Command::Status => status::status(&mut open()?, url.unwrap_or_default(), output),
        Command::Streams { aggregate_type, prefix, limit } => {
            streams::streams(&mut open()?, aggregate_type, prefix, limit, output)
        }
        Command::Stream { aggregate_type, aggregate_id, tenant } => {
            streams::stream(&mut open()?, aggregate_type, aggregate_id, tenant, output)
        }
        Command::Event { id } => events::event(&mut open()?, &id, output),
        Command::Trace { correlation } => events::trace(&mut open()?, &correlation, output),
        Command::Log { after, types, correlation, limit, follow } => {
            log::log(&mut open()?, log::Wanted { after, types, correlation, limit, follow }, output)
        }
        Command::Projections { action } => projections::projections(&mut open()?, action, output),
        Command::Export { file } => export::export(&mut open()?, &file, output),
        Command::Import { discard: true, .. } => import::discard(&mut open()?, output),
        Command::Import { file, restore: true, .. } => {
            archive::restore(&mut open()?, &file.unwrap_or_default(), output)
        }
        Command::Import { file, new, map, .. } => {
            let asked = import::Asked { file: &file.unwrap_or_default(), is_new: new, map: map.as_deref() };
            import::import(&mut open()?, &asked, output)
        }
        Command::Archive { before, file, yes } => {
            let asked = archive::Asked { before: &before, file: &file, yes };
            archive::archive(&mut open()?, url.unwrap_or_default(), &asked, output)
        }
        Command::Copy(copying) => copy::run(&copying, output),
        Command::Freeze { reason, patience } => {
            freeze::freeze(&mut open()?, url.unwrap_or_default(), &reason, &patience, output)
        }
        Command::Unfreeze { target_is_lost, patience } => {
            freeze::unfreeze(&mut open()?, url.unwrap_or_default(), target_is_lost, &patience, output)
        }
        Command::Seal => seal::seal(&mut open()?, output),
        Command::Verify => verify::verify(&mut open()?, output),
        Command::Repair { yes } => repair::repair(&mut open()?, url.unwrap_or_default(), yes, output),
        Command::Doctor => doctor::doctor(&mut open()?, url.unwrap_or_default(), output),
        #[cfg(feature = "browse")]
        Command::Browse => crate::browse::browse(url, output),
        Command::Completions { shell } => shell::completions(shell),
        Command::Man => shell::man(),
    }
}
