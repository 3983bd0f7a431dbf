//! Passwords are not shown: neither in a URL, nor in what a database or this command says about one.

use std::cmp::Reverse;
use std::ops::Range;

/// What is secret in the query of a URL, and in a connection string of libpq.
const SECRET: [&str; 5] =
    ["password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"];
const STARS: &str = "***";
/// What separates the parts of a URL, so that a password can only have it encoded.
const SEPARATORS: [char; 8] = ['@', '/', '?', '#', ':', '%', '[', ']'];

/// The URL as it may be shown.
pub fn shown(url: &str) -> String {
    let (mut shown, mut end) = (String::new(), 0);
    for secret in secrets(url) {
        shown.push_str(&url[end..secret.start]);
        shown.push_str(STARS);
        end = secret.end;
    }
    shown + &url[end..]
}

/// Which texts are hidden, and what is shown in their place: for the URLs that the command was given.
#[derive(Debug, Default)]
pub struct Secrets(Vec<(String, String)>);

impl Secrets {
    /// Of words, some of which may be URLs, or end with one: `--database-url=postgres://…`.
    pub fn of<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Self {
        let mut secrets = Self::default();
        words.into_iter().for_each(|word| secrets.add(word.as_ref()));
        secrets.0.sort_by_key(|(hidden, _)| Reverse(hidden.len()));
        secrets
    }

    /// The text, as it may be shown.
    pub fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (hidden, shown)| text.replace(hidden, shown))
    }

    fn add(&mut self, word: &str) {
        let url = match word.split_once('=') {
            Some((option, url)) if option.starts_with("--") => url,
            _ => word,
        };
        let passwords = secrets(url);
        if passwords.is_empty() {
            return;
        }
        self.0.push((url.to_owned(), shown(url)));
        passwords.into_iter().for_each(|password| self.add_password(&url[password]));
    }

    /// A password is hidden where it stands as in a URL. As a word by itself it can be anything, such as the
    /// name of the database. But with a separator in it, parts of it are taken for something else, and named:
    /// with the password `a@b`, the host `b@db`.
    fn add_password(&mut self, password: &str) {
        self.add_text(&format!(":{password}@"), password);
        if !password.contains(SEPARATORS) {
            return;
        }
        for part in password.split(SEPARATORS).chain([password]).filter(|part| !part.is_empty()) {
            self.add_text(&format!("\"{part}\""), part);
        }
        for (at, separator) in password.match_indices(SEPARATORS) {
            let end = &password[at + separator.len()..];
            self.add_text(&format!("{end}@"), end);
        }
    }

    fn add_text(&mut self, hidden: &str, secret: &str) {
        if !secret.is_empty() {
            self.0.push((hidden.to_owned(), hidden.replace(secret, STARS)));
        }
    }
}

/// Where the secrets of a URL are, one behind the other, however wrong the URL is.
fn secrets(url: &str) -> Vec<Range<usize>> {
    let (user, settings) = match url.find("://") {
        Some(at) => (at + 3, at + 3 + query_at(&url[at + 3..])),
        None => (0, 0),
    };
    let mut secrets: Vec<_> =
        password_of_user(&url[user..settings]).map(|at| moved(at, user)).into_iter().collect();
    secrets.extend(url[settings..].match_indices('=').filter_map(|(at, _)| {
        let name = url[settings..settings + at].trim_end();
        let name = name.rsplit(['?', '&', ' ', '\t', '\n']).next().unwrap_or(name);
        let value = moved(value(&url[settings + at + 1..]), settings + at + 1);
        (SECRET.iter().any(|secret| name.eq_ignore_ascii_case(secret)) && !value.is_empty()).then_some(value)
    }));
    secrets
}

fn moved(range: Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

/// Where a query begins: a `?`, and behind it the name of a setting. A password may have a `?`, too.
fn query_at(rest: &str) -> usize {
    let is_named = |query: &str| {
        let name = query.split_once('=').map(|(name, _)| name);
        name.is_some_and(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'))
    };
    let query = rest.match_indices('?').find(|(at, _)| is_named(&rest[at + 1..]));
    query.map_or(rest.len(), |(at, _)| at)
}

/// Between the first `:` and the last `@`.
fn password_of_user(authority: &str) -> Option<Range<usize>> {
    let user = &authority[..authority.rfind('@')?];
    let start = user.find(':')? + 1;
    (start < user.len()).then_some(start..user.len())
}

/// The value with which a text begins. In quotes, it can have spaces in it.
fn value(text: &str) -> Range<usize> {
    let start = text.len() - text.trim_start().len();
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, c) in text[start..].char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '\'' => is_quoted = !is_quoted,
            '&' | ' ' | '\t' | '\n' if !is_quoted => return start..start + at,
            _ => {}
        }
    }
    start..text.len()
}

#[cfg(test)]
mod tests {
    use super::{Secrets, shown};

    #[test]
    fn a_url_is_shown_without_its_passwords() {
        for (url, expected) in [
            ("postgres://app:s3cret@db/shop", "postgres://app:***@db/shop"),
            ("POSTGRES://app:s3cret@db/shop", "POSTGRES://app:***@db/shop"),
            ("mysql2://app:s3cret@db/shop", "mysql2://app:***@db/shop"),
            ("postgresql+psycopg2://app:s3cret@db/shop", "postgresql+psycopg2://app:***@db/shop"),
            ("postgres://shop:shop@127.0.0.1:5432/shop", "postgres://shop:***@127.0.0.1:5432/shop"),
            ("postgres://u:p@s3cret@db/x", "postgres://u:***@db/x"),
            ("postgres://u:p/s3?cret@db/x", "postgres://u:***@db/x"),
            ("postgres://db/shop?user=a@b&password=s3cret", "postgres://db/shop?user=a@b&password=***"),
            ("mysql://db/shop?sslPassword=s3&password=c", "mysql://db/shop?sslPassword=***&password=***"),
            ("host=db password=s3cret user=app", "host=db password=*** user=app"),
            (r"password = 's3 cr\'et' host=db", "password = *** host=db"),
        ] {
            assert_eq!(shown(url), expected);
        }
        for url in ["shop.db", "postgres://db/shop", "postgres://app@db:5432/shop", "postgres://app:@db/", ""]
        {
            assert_eq!(shown(url), url);
        }
    }

    #[test]
    fn passwords_are_hidden_where_they_stand_as_in_a_url() {
        let hidden = |url: &str, text: &str| Secrets::of(["copy", url]).hide(text);
        let url = "postgres://shop:shop@db/shop";
        assert_eq!(hidden(url, &format!("'{url}'; shop")), "'postgres://shop:***@db/shop'; shop");
        assert_eq!(hidden("mysql://app:b@db/x", "was built"), "was built");
        assert_eq!(hidden("mysql://app:b@db/x", "mysql://app:b@db:3306/x"), "mysql://app:***@db:3306/x");
        assert_eq!(hidden("--database-url=mysql://a:b@c/d", "x mysql://a:b@c/d"), "x mysql://a:***@c/d");
    }

    #[test]
    fn parts_that_are_taken_for_something_else_are_hidden() {
        let hidden = |url: &str, text: &str| Secrets::of([url]).hide(text);
        assert_eq!(hidden("postgres://u:p@sekret@h/x", "no host \"sekret@h\""), "no host \"***@h\"");
        assert_eq!(
            hidden("postgres://u:se/kret@h/x", "no port \"se\", no db \"kret@h/x\""),
            "no port \"***\", no db \"***@h/x\""
        );
        assert_eq!(hidden("postgres://u:100%zz@h/x", "invalid token: \"100%zz\""), "invalid token: \"***\"");
    }
}
