//! The memory that an export, an import and a copy take at most, with a log and with one of ten times as many
//! events: it does not grow. The environment variable `EVENTS` says how many the longer one has (default:
//! 100,000).
//!
//! Both logs are filled once and kept in the `tmp` folder of cargo's target directory.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use bench_support::{database, memory};
use diesel::sqlite::SqliteConnection;
use diesel_event_store::sqlite::Synchronous;
use diesel_event_store::transfer::{CopyOptions, copy, export, import};
use tempfile::TempDir;

const EVENTS_EACH: i64 = 10;

fn main() {
    match memory::work() {
        Some(work) => {
            do_work(&work);
            memory::tell_peak();
        }
        None => measure(),
    }
}

fn do_work(work: &[String]) {
    let [what, from, to] = work else { panic!("{work:?} is no work") };
    match what.as_str() {
        "export" => drop(export(&mut connect(from), File::create(to).expect("a file")).expect("the log")),
        "import" => {
            let open = || Ok(BufReader::new(File::open(from)?));
            import(&mut connect(to), open).expect("the file");
        }
        _ => {
            let options = CopyOptions::to("elsewhere");
            copy(&mut connect(from), &mut connect(to), &options, |_| true).expect("the copy");
        }
    }
}

fn connect(path: &str) -> SqliteConnection {
    database::connect(Path::new(path), Synchronous::Normal)
}

fn measure() {
    let folder = database::folder();
    let streams = memory::sizes().map(|events| events / 10);
    let [short, long] = streams.map(|streams| peaks(&folder, streams));
    for ((name, short), (_, long)) in short.into_iter().zip(long) {
        memory::compare(name, streams, [short, long]);
    }
}

fn peaks(folder: &TempDir, streams: usize) -> [(&'static str, Option<u64>); 3] {
    let path = |path: &Path| path.display().to_string();
    let new = || path(&database::empty(folder));
    let shop = path(&database::copy_of_filled(folder, streams, EVENTS_EACH));
    let file = path(&folder.path().join(format!("log of {streams} streams")));
    [
        ("export", memory::peak_of(&["export", &shop, &file])),
        ("import", memory::peak_of(&["import", &file, &new()])),
        ("copy", memory::peak_of(&["copy", &shop, &new()])),
    ]
}
