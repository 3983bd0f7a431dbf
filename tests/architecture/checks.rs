//! That the tests above would see it, on small crates.

use super::arrows::{circles, climbing};
use super::modules::Modules;

const LOW_AND_HIGH: [&[&str]; 2] = [&["low"], &["high", "beside"]];

/// `low/a.rs` and `high/b.rs` with these texts, and what is around them.
fn small(low: &str, high: &str) -> Modules {
    let files = [
        ("lib.rs", "mod low; mod high; mod beside; pub use high::b::High;"),
        ("low/mod.rs", "pub mod a; pub mod other;"),
        ("low/a.rs", low),
        ("low/other.rs", "pub struct Other; pub fn work() {}"),
        ("high/mod.rs", "pub mod b; pub use b::High;"),
        ("high/b.rs", high),
        ("beside.rs", "pub struct Beside;"),
    ];
    Modules::new(files.map(|(name, source)| (name.to_owned(), source.to_owned())))
}

fn climbing_in(low: &str) -> Vec<String> {
    let arrows = small(low, "pub struct High; pub fn work() {}").arrows();
    let arrows: Vec<_> = arrows.into_iter().filter(|arrow| arrow.from == "low/a").collect();
    climbing(&arrows, &LOW_AND_HIGH)
}

#[test]
fn an_import_that_climbs_is_named() {
    assert_eq!(climbing_in("use crate::high::b::High;"), ["low/a → high/b (by crate::high::b::High)"]);
}

#[test]
fn every_way_to_write_an_import_is_seen() {
    for source in [
        "use crate::{low::other::Other, high::{b::{self, High as H}}};",
        "fn f() { super::super::high::b::work() }",
        "mod inner { use super::super::super::high::b; }",
        "use super::other::Other; fn f(x: &'static str) { crate::high::High::new('\\'', x) }",
        "macro_rules! m { () => { $crate::high::b::High } }",
        "#[diesel(table_name = crate::high::b::High)] struct S;",
        "use crate::high; fn f() { high::b::High }",
        "use crate::High;",
    ] {
        let climbing = climbing_in(source);
        assert!(climbing.iter().any(|arrow| arrow.starts_with("low/a → high/b")), "{source}: {climbing:?}");
    }
}

#[test]
fn what_is_no_import_is_not_taken_for_one() {
    for source in [
        "// use crate::high::b::High;",
        "/* crate::high::b /* nested */ crate::high::b */",
        r#"const A: &str = "crate::high::b \" crate::high::b";"#,
        "const A: &str = r#\"crate::high::b \" crate::high::b\"#;",
        "use std::high::b; fn f() { ::high::b::c(); self.high::<u8>() }",
        "use super::other::{self, Other}; fn f() { other::work() }",
        "pub(in crate::high) fn f() {}",
        "fn f() { crate::exported!() }",
    ] {
        assert!(climbing_in(source).is_empty(), "{source}");
    }
}

#[test]
fn a_neighbour_is_not_imported_either() {
    let arrows = small("", "use crate::beside::Beside;").arrows();
    let climbing = climbing(&arrows, &LOW_AND_HIGH);
    assert!(climbing.contains(&"high/b → beside (by crate::beside::Beside)".to_owned()), "{climbing:?}");
}

#[test]
fn a_circle_is_told_arrow_by_arrow() {
    let arrows = small("use crate::high::High;", "use crate::low::a::A; pub struct High;").arrows();
    let circle = "    low/a → high/b (by crate::high::High)\n    high/b → low/a (by crate::low::a::A)\n";
    assert_eq!(circles(&arrows), [] as [&str; 0], "nothing in low/a is called A");
    let arrows = small("use crate::high::High; struct A;", "use crate::low::a::A; pub struct High;").arrows();
    assert_eq!(circles(&arrows), [circle]);
}

#[test]
fn a_path_that_leads_nowhere_is_told_and_not_passed_over() {
    let lost = |low| small(low, "pub struct High;").lost();
    assert_eq!(lost("use crate::high::b::High;"), [] as [&str; 0]);
    assert_eq!(lost("use crate::high::c::Gone;"), ["low/a has crate::high::c::Gone"]);
    assert_eq!(lost("use super::other::*;"), ["low/a has super::other::*"], "it hides what it imports");
}
