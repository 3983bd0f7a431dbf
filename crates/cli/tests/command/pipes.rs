use std::fs;
use std::io::{BufRead, BufReader, Read};
#[cfg(unix)]
use std::os::{fd::OwnedFd, unix::net::UnixStream};
use std::process::Stdio;

use test_support::sqlite_file::SqliteFile;

use super::run::{answer, command, text};
use super::shop::{append, shop, url};

/// What it says when its reader goes after the first line, and the code with which it ends.
fn with_a_reader_that_goes(url: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let mut child = command(arguments);
    let child = child.env("DATABASE_URL", url).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let mut reader = BufReader::with_capacity(64, child.stdout.take().unwrap());
    reader.read_line(&mut String::new()).unwrap();
    drop(reader);
    let mut said = Vec::new();
    child.stderr.take().unwrap().read_to_end(&mut said).unwrap();
    (child.wait().unwrap().code(), text(&said))
}

#[test]
fn a_reader_that_goes_is_no_error() {
    let shop = shop();
    for _ in 0..40 {
        append(&mut shop.connect(), "o-3", &["OrderPlaced"; 100]); // more than a pipe holds
    }
    assert_eq!(with_a_reader_that_goes(&url(&shop), &["log"]), (Some(0), String::new()));
    assert_eq!(with_a_reader_that_goes(&url(&shop), &["log", "--json"]), (Some(0), String::new()));
    let (code, said) = with_a_reader_that_goes(&url(&shop), &["export", "-"]);
    assert_eq!(code, Some(1), "an export that was cut is none");
    assert!(said.contains("was not read to its end"), "{said}");
}

#[test]
#[cfg(unix)]
fn who_reads_no_errors_gets_the_code_all_the_same() {
    let absent = url(&SqliteFile::absent());
    for (arguments, expected) in
        [(&["status"][..], 1), (&["status", "--json"], 1), (&["status", "--nonsense"], 2)]
    {
        let (reader, writer) = UnixStream::pair().unwrap();
        drop(reader);
        let mut child = command(arguments);
        let code = child.env("DATABASE_URL", &absent).stderr(OwnedFd::from(writer)).status().unwrap().code();
        assert_eq!(code, Some(expected), "{arguments:?}");
    }
}

#[test]
fn shells_and_readers_of_manuals_are_served() {
    assert!(answer("", &["completions", "bash"]).contains("diesel-event-store"));
    let page = answer("", &["man"]);
    assert!(page.contains(".TH diesel") && page.contains("COPY") && page.contains("rebuild"), "{page}");
    assert!(!page.contains("(1)"), "it refers to no other page: {page}");

    let folder = tempfile::tempdir().unwrap();
    answer("", &["man", &folder.path().join("man1").display().to_string()]);
    let named = |name: &str| folder.path().join("man1").join(name).exists();
    let first = fs::read_to_string(folder.path().join("man1/diesel-event-store.1")).unwrap();
    let references: Vec<_> = first.lines().filter(|line| line.ends_with("(1)")).collect();
    assert!(references.len() > 20, "{first}");
    for page in references {
        assert!(named(&format!("{}.1", page.trim_end_matches("(1)").replace('\\', ""))), "{page}");
    }
}
