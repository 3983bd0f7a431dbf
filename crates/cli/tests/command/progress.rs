//! How far a command has come is shown to people, and to nobody else.

use test_support::sqlite_file::SqliteFile;

use super::run::{run, text};
use super::shop::{append, shop, url};
#[cfg(target_os = "linux")]
use super::terminal::Terminal;

/// What a terminal shows.
#[cfg(target_os = "linux")]
fn on_a_terminal(arguments: &[&str]) -> String {
    let (code, shown) = Terminal::of(arguments).end();
    assert_eq!(code, Some(0), "{shown}");
    shown
}

/// More than is there at once, so that a bar is drawn.
fn large_shop() -> SqliteFile {
    let shop = SqliteFile::migrated();
    for order in 0..50 {
        append(&mut shop.connect(), &order.to_string(), &["OrderPlaced"; 100]);
    }
    shop
}

#[test]
#[cfg(target_os = "linux")]
fn a_terminal_shows_how_far_it_is() {
    let (shop, new, copy) = (large_shop(), SqliteFile::migrated(), SqliteFile::absent());
    let file = shop.path().with_extension("jsonl").display().to_string();
    let exported = on_a_terminal(&["export", &file, "--database-url", &url(&shop)]);
    assert!(exported.contains("exporting") && exported.contains("of 5,000"), "{exported:?}");
    assert!(exported.contains("5,000 events to position 5,000"), "{exported:?}");
    let imported = on_a_terminal(&["import", &file, "--database-url", &url(&new)]);
    assert!(imported.contains("reading") && imported.contains("MiB of"), "{imported:?}");
    let copied = on_a_terminal(&["copy", &url(&shop), &url(&copy), "--yes"]);
    assert!(copied.contains("copying") && copied.contains("of 5,000"), "{copied:?}");
    let quiet = on_a_terminal(&["export", &file, "--json", "--database-url", &url(&shop)]);
    assert!(!quiet.contains("exporting"), "{quiet:?}");
}

#[test]
fn nothing_else_does() {
    let (shop, new, copy) = (shop(), SqliteFile::migrated(), SqliteFile::absent());
    let file = shop.path().with_extension("jsonl").display().to_string();
    let (from, to) = (url(&shop), url(&copy));
    for (database, arguments) in [
        (&shop, vec!["export", &file]),
        (&shop, vec!["export", "-"]),
        (&new, vec!["import", &file]),
        (&shop, vec!["copy", &from, &to, "--rebuild", "mails", "--yes"]),
    ] {
        let output = run(&url(database), &arguments);
        assert_eq!(text(&output.stderr), "", "{arguments:?}");
        assert!(output.status.success());
    }
}
