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
mod in_the_way;
mod ledger;
mod log;
mod man;
mod migrate;
mod pace;
mod part_file;
pub mod projections;
mod repair;
mod seal;
mod shell;
mod status;
pub mod streams;
pub mod to_type;
mod verify;
mod watched;
mod zst;

use crate::arguments::{Action, Arguments, Command};
use crate::database::{Access, Database};
use crate::failure::Result;
use crate::output::Output;

pub fn run(arguments: Arguments, output: &mut Output) -> Result {
    let url = arguments.database_url.as_deref();
    let look = || Database::open(url, Access::Look);
    let open = || Database::open(url, Access::Change);
    match arguments.command {
        Command::Migrate => migrate::migrate(&mut Database::open(url, Access::Create)?, output),
        Command::Status => status::status(&mut look()?, url.unwrap_or_default(), output),
        Command::Streams { aggregate_type, prefix, limit } => {
            streams::streams(&mut look()?, aggregate_type, prefix, limit, output)
        }
        Command::Stream { aggregate_type, aggregate_id, tenant } => {
            streams::stream(&mut look()?, aggregate_type, aggregate_id, tenant, output)
        }
        Command::Event { id } => events::event(&mut look()?, &id, output),
        Command::Trace { correlation } => events::trace(&mut look()?, &correlation, output),
        Command::Log { after, types, correlation, limit, follow } => {
            log::log(&mut look()?, log::Wanted { after, types, correlation, limit, follow }, output)
        }
        Command::Projections { action } => {
            let only_looks = matches!(action, None | Some(Action::Parked(_)));
            let conn = &mut if only_looks { look() } else { open() }?;
            projections::projections(conn, action, output)
        }
        Command::Export { file, yes } => export::export(&mut look()?, &file, yes, output),
        Command::Import { discard: true, yes, .. } => {
            import::discard(&mut open()?, url.unwrap_or_default(), yes, output)
        }
        Command::Import { file, restore: true, .. } => {
            archive::restore(&mut open()?, &file.unwrap_or_default(), output)
        }
        Command::Import { file, new, map, yes, .. } => {
            let (file, map) = (&file.unwrap_or_default(), map.as_deref());
            let asked = import::Asked { file, is_new: new, map, yes };
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
        Command::Verify => verify::verify(&mut look()?, output),
        Command::Repair { yes } => repair::repair(&mut open()?, url.unwrap_or_default(), yes, output),
        Command::Doctor => doctor::doctor(&mut look()?, url.unwrap_or_default(), output),
        #[cfg(feature = "browse")]
        Command::Browse => crate::browse::browse(url, output),
        Command::Completions { shell } => shell::completions(shell),
        Command::Man { folder: None } => man::page(),
        Command::Man { folder: Some(folder) } => man::pages(&folder),
    }
}
