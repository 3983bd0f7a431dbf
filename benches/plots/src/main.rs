//! Draws the measurements that the benches wrote into a folder, and puts the plots into the same one:
//! `plots FOLDER`. `scripts/plot-performance` measures and draws.

mod plot;
mod table;

use std::env;
use std::error::Error;
use std::path::Path;

use plot::{Plot, Scale};
use plotters::chart::SeriesLabelPosition::{LowerRight, UpperLeft};
use table::Table;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("plots FOLDER")?;
    let folder = Path::new(&folder);
    let callers = Table::read(&folder.join("writer.csv"))?;
    throughput(&callers).draw(&folder.join("throughput.svg"))?;
    for setting in ["NORMAL", "FULL"] {
        let file = format!("latency-{}.svg", setting.to_lowercase());
        latency(&callers, setting).draw(&folder.join(file))?;
    }
    let sizes = Table::read(&folder.join("growth.csv"))?;
    growth(&sizes).draw(&folder.join("growth.svg"))?;
    file_size(&sizes).draw(&folder.join("file-size.svg"))
}

fn throughput(callers: &Table) -> Plot {
    let series = |setting, side| {
        let rows = callers.matching(&[("synchronous", setting), ("side", side)]);
        (format!("{side}, {setting}"), rows.points("callers", "appends_per_second", 1.0))
    };
    Plot {
        title: "Appends per second, SQLite in WAL mode, one event of 200 bytes each".into(),
        x: "callers at the same time (threads)",
        y: "appends per second",
        scale: Scale::Linear,
        legend: UpperLeft,
        series: ["NORMAL", "FULL"]
            .into_iter()
            .flat_map(|setting| [series(setting, "writer"), series(setting, "plain")])
            .collect(),
    }
}

fn latency(callers: &Table, setting: &str) -> Plot {
    let series = |side, quantile| {
        let rows = callers.matching(&[("synchronous", setting), ("side", side)]);
        (format!("{side}, {quantile}"), rows.points("callers", quantile, 1e3))
    };
    Plot {
        title: format!("Latency of an append, synchronous = {setting}"),
        x: "callers at the same time (threads)",
        y: "milliseconds",
        scale: Scale::Logarithmic,
        legend: UpperLeft,
        series: ["writer", "plain"]
            .into_iter()
            .flat_map(|side| [series(side, "p50"), series(side, "p99")])
            .collect(),
    }
}

fn growth(sizes: &Table) -> Plot {
    let series = |side, name: &str| (name.to_owned(), sizes.points("events", side, 1e6));
    Plot {
        title: "Cost of an append as the log grows, synchronous = NORMAL".into(),
        x: "events in the log",
        y: "microseconds an append of one event",
        scale: Scale::Linear,
        legend: LowerRight,
        series: vec![series("ours", "this crate"), series("raw", "bare libsqlite3")],
    }
}

fn file_size(sizes: &Table) -> Plot {
    Plot {
        title: "Size of the file, all indexes included".into(),
        x: "events in the log",
        y: "bytes an event of 200 bytes",
        scale: Scale::Linear,
        legend: LowerRight,
        series: vec![("file".into(), sizes.points("events", "bytes_per_event", 1.0))],
    }
}
