//! The house has floors: a file of `src/` imports only files of lower floors, or of its own folder, and no
//! files import each other in a circle. Both are read from the source text: every `use` and every path to a
//! module of this crate, also in macros and behind every `cfg`. `mod` is no import: a folder's `mod.rs` has
//! to name its files.

mod architecture {
    pub mod arrows;
    mod checks;
    pub mod modules;
    mod paths;
    mod tokens;
}

use architecture::arrows::{circles, climbing};
use architecture::modules::Modules;

/// From the lowest to the highest. What shares a floor stands side by side and does not know its neighbour.
const FLOORS: [&[&str]; 9] = [
    &["model"],
    &["event", "line", "observe", "schema"],
    &["decision"],
    &["schema_lock", "storage", "testing"],
    &["store"],
    &["aggregate", "operate", "projection", "writer"],
    &["transfer"],
    &["error"],
    &["guide", "lib"],
];

#[test]
fn no_files_import_each_other_in_a_circle() {
    let found = circles(&Modules::of_this_crate().arrows());
    assert!(found.is_empty(), "{} circles:\n{}", found.len(), found.join("\n"));
}

#[test]
fn each_floor_imports_only_those_below_it() {
    let found = climbing(&Modules::of_this_crate().arrows(), &FLOORS);
    assert!(found.is_empty(), "{} imports do not point down:\n{}", found.len(), found.join("\n"));
}

#[test]
fn every_path_leads_to_a_file() {
    let lost = Modules::of_this_crate().lost();
    assert!(lost.is_empty(), "{} paths lead nowhere:\n{}", lost.len(), lost.join("\n"));
}
