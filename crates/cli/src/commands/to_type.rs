//! What a person types next.

use std::borrow::Cow;
use std::env;

use diesel_event_store::projection::ProjectionId;

use crate::secrets::shown;

const NAME: &str = "diesel-event-store ";

/// The commands in a text, for the database at a URL: one that the environment does not name has to be typed,
/// too. `copy` names its databases itself.
pub fn on(url: &str, text: &str) -> String {
    if url.is_empty() || env::var("DATABASE_URL").as_deref() == Ok(url) || text.contains("--database-url") {
        return text.to_owned();
    }
    let place = format!("{NAME}--database-url {} ", quoted(&shown(url)));
    let copy = |name: &str| format!("{name}copy ");
    text.replace(NAME, &place).replace(&copy(&place), &copy(NAME))
}

/// What follows the name of this command for an action on a version of a projection.
pub fn projections(action: &str, id: &ProjectionId) -> String {
    let (name, version) = (quoted(id.name()), id.version());
    // What begins like an option is not taken for one behind two hyphens.
    match name.starts_with('-') {
        true => format!("projections {action} --version {version} -- {name}"),
        false => format!("projections {action} {name} --version {version}"),
    }
}

/// A word as a shell reads it.
pub fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:@=,+%".contains(letter);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => Cow::Borrowed(word),
        false => Cow::Owned(format!("'{}'", word.replace('\'', r"'\''"))),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_what_was_meant() {
        let read = |word: &str| {
            let echo = format!("printf %s {}", quoted(word));
            std::process::Command::new("sh").args(["-c", &echo]).output().unwrap().stdout
        };
        for word in
            ["mails", "two words", "it's", "$HOME", "a;b", "", "*", "~", "#1", "a\\b", "größe", "\"x\""]
        {
            assert_eq!(String::from_utf8(read(word)).unwrap(), word);
        }
        assert_eq!(quoted("order-mails.v2"), "order-mails.v2");
    }
}
