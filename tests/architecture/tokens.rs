/// The words and signs of Rust source, without comments and without what stands in quotes. `::` is one sign.
pub fn tokens(source: &str) -> Vec<String> {
    let mut rest = source;
    let mut found = Vec::new();
    while let Some(first) = rest.chars().next() {
        let length = match skipped(rest) {
            0 if is_word(first) => {
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                found.push(rest[..length].to_owned());
                length
            }
            0 => {
                let length = if rest.starts_with("::") { 2 } else { first.len_utf8() };
                found.extend((!first.is_whitespace()).then(|| rest[..length].to_owned()));
                length
            }
            length => length,
        };
        rest = &rest[length..];
    }
    found
}

pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// How long the comment or the quoted text is that stands here; 0 if none does.
fn skipped(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if let Some(hashes) = raw_text(rest) {
        let end = format!("\"{}", "#".repeat(hashes));
        let begin = rest.find('"').expect("a raw text") + 1;
        return begin + rest[begin..].find(&end).expect("a raw text ends") + end.len();
    }
    match rest.as_bytes()[0] {
        b'"' => quoted(rest, '"'),
        b'\'' => character(rest),
        _ => 0,
    }
}

/// Comments of this kind can be nested.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    loop {
        let (step, length) = match &rest.as_bytes()[at..at + 2] {
            b"/*" => (1, 2),
            b"*/" => (-1, 2),
            _ => (0, 1),
        };
        depth += step;
        at += length;
        if depth == 0 {
            return at;
        }
    }
}

/// With how many `#` a raw text begins here, if one does.
fn raw_text(rest: &str) -> Option<usize> {
    let marks = ["r", "br", "cr"].into_iter().find_map(|prefix| rest.strip_prefix(prefix))?;
    let text = marks.trim_start_matches('#');
    text.starts_with('"').then(|| marks.len() - text.len())
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => _ = characters.next(),
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    panic!("a text does not end: {}", rest.lines().next().unwrap_or_default())
}

/// A lifetime begins with the same quote as a character.
fn character(rest: &str) -> usize {
    let mut characters = rest.chars().skip(1);
    let is_character = characters.next() == Some('\\') || characters.next() == Some('\'');
    if is_character { quoted(rest, '\'') } else { 1 }
}
