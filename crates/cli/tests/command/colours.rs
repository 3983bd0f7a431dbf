//! Colours are for people at a terminal who have nothing against them.

use test_support::execute;

use super::run::{answer, failure, run, text};
use super::shop::{shop, url};
#[cfg(target_os = "linux")]
use super::terminal::Terminal;

#[test]
#[cfg(target_os = "linux")]
fn a_terminal_shows_colours() {
    let shop = shop();
    let url = url(&shop);
    let (red, yellow, dim) = ("\x1b[1m\x1b[31m", "\x1b[33m", "\x1b[2m");
    let shown = |arguments: &[&str]| Terminal::of(&[arguments, &["--database-url", &url]].concat()).end().1;
    assert!(shown(&["log"]).contains(dim), "{:?}", shown(&["log"]));
    let failed = shown(&["stream", "Order", "o-9"]);
    assert!(failed.contains(red), "{failed:?}");
    execute(&mut shop.connect(), "DELETE FROM aggregate_heads WHERE aggregate_id = 'o-2'").unwrap();
    let found = shown(&["verify"]);
    assert!(found.contains(&format!("{yellow}the head of Order/o-2 is missing")), "{found:?}");
    assert!(!shown(&["log", "--json"]).contains('\x1b'));
    let arguments = ["verify", "--database-url", &url];
    assert!(!Terminal::with("NO_COLOR=1", &arguments).end().1.contains('\x1b'));
}

#[test]
fn files_and_pipes_have_none() {
    let shop = shop();
    execute(&mut shop.connect(), "DELETE FROM aggregate_heads WHERE aggregate_id = 'o-2'").unwrap();
    for arguments in [&["verify"][..], &["log"], &["status", "--nonsense"], &["doctor"]] {
        let output = run(&url(&shop), arguments);
        assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b), "{arguments:?}");
    }
}

/// A payload could otherwise clear the screen, or say what is not so.
#[test]
fn what_others_have_written_does_not_steer_the_terminal() {
    let shop = shop();
    let change = "DROP TRIGGER events_refuse_update; \
                  UPDATE events SET payload = char(34, 155, 34, 13, 10) WHERE global_position = 1";
    execute(&mut shop.connect(), change).unwrap();
    for arguments in [&["log"][..], &["stream", "Order", "o-1"], &["trace", "o-1"]] {
        let shown = answer(&url(&shop), arguments);
        assert!(shown.contains("\"\\u009b\"\\u000d\n"), "{shown:?}");
        assert!(!shown.contains(['\x1b', '\u{9b}', '\r']), "{shown:?}");
    }
    let said = failure(&url(&shop), &["event", "\x1b[2J"]).1;
    assert!(said.contains(r"\u001b[2J") && !said.contains('\x1b'), "{said:?}");
    let objects = text(&run(&url(&shop), &["log", "--json"]).stdout);
    assert!(objects.contains("\"payload\":\"\\\"\u{9b}\\\"\\r\\n\""), "{objects}");
}
