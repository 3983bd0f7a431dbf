use std::collections::HashSet;

use super::tokens::{is_word, tokens};

/// A path as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path {
    /// The modules of the file's own text around it.
    pub inside: Vec<String>,
    pub segments: Vec<String>,
    /// The name that a `use` gives to what it imports.
    pub name: Option<String>,
}

/// Everything that a file says about modules.
#[derive(Default)]
pub struct Paths {
    pub found: Vec<Path>,
    /// The modules that are written out in the file itself, by their whole path.
    pub inline: Vec<Vec<String>>,
    pub words: HashSet<String>,
}

pub fn paths(source: &str) -> Paths {
    let mut reader = Reader { tokens: tokens(source), at: 0, around: Vec::new(), depth: 0 };
    let mut paths = Paths::default();
    reader.read(&mut paths);
    let mut seen = HashSet::new();
    paths.found.retain(|path| seen.insert(path.clone()));
    paths.words = reader.tokens.into_iter().collect();
    paths
}

struct Reader {
    tokens: Vec<String>,
    at: usize,
    /// The inline modules around this place, and how many braces were open where each of them began.
    around: Vec<(String, usize)>,
    depth: usize,
}

impl Reader {
    fn read(&mut self, paths: &mut Paths) {
        while self.at < self.tokens.len() {
            match (self.token(0), self.token(1), self.token(2)) {
                ("use", next, _) if next != "<" => {
                    self.at += 1;
                    self.read_use(&[], &mut paths.found);
                }
                ("mod", name, "{") => {
                    self.around.push((name.to_owned(), self.depth));
                    paths.inline.push(self.inside());
                    self.at += 2;
                }
                (word, "::", _) if self.begins_path(word) => self.read_path(&mut paths.found),
                _ => self.pass(),
            }
        }
    }

    fn token(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", String::as_str)
    }

    fn inside(&self) -> Vec<String> {
        self.around.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Not in the middle of a path, no method, no variable of a macro, and not how far something is visible.
    fn begins_path(&self, word: &str) -> bool {
        let before = |back: usize| self.at.checked_sub(back).map_or("", |at| &self.tokens[at]);
        let is_visibility = [before(3), before(2), before(1)] == ["pub", "(", "in"];
        let is_inside = ["::", "."].contains(&before(1)) || before(1) == "$" && word != "crate";
        is_name(word) && !is_inside && !is_visibility
    }

    fn pass(&mut self) {
        match self.token(0) {
            "{" => self.depth += 1,
            "}" => {
                self.depth -= 1;
                self.around.pop_if(|(_, depth)| *depth == self.depth);
            }
            _ => {}
        }
        self.at += 1;
    }

    fn read_path(&mut self, found: &mut Vec<Path>) {
        let mut segments = vec![self.token(0).to_owned()];
        self.at += 1;
        while self.token(0) == "::" && is_name(self.token(1)) {
            segments.push(self.token(1).to_owned());
            self.at += 2;
        }
        // An exported macro stands at the root, whatever file it is written in.
        if self.token(0) == "!" && segments.len() == 2 && segments[0] == "crate" {
            return;
        }
        found.push(Path { inside: self.inside(), segments, name: None });
    }

    /// One branch of a tree of imports, which goes on behind what is left of it.
    fn read_use(&mut self, before: &[String], found: &mut Vec<Path>) {
        let mut segments = before.to_vec();
        loop {
            match self.token(0) {
                "{" => return self.read_group(&segments, found),
                "$" if self.token(1) != "crate" => return self.skip_variable(segments, found),
                "::" | "$" => {}
                "self" if !segments.is_empty() => {}
                word if is_name(word) || word == "*" => segments.push(word.to_owned()),
                other => panic!("an import that cannot be read: {segments:?} {other}"),
            }
            self.at += 1;
            if [";", ",", "}", "as"].contains(&self.token(0)) {
                break;
            }
        }
        let mut name = segments.last().cloned();
        if self.token(0) == "as" {
            name = Some(self.token(1).to_owned());
            self.at += 2;
        }
        found.push(Path { inside: self.inside(), segments, name });
    }

    /// What a variable of a macro stands for is imported where the macro is used.
    fn skip_variable(&mut self, segments: Vec<String>, found: &mut Vec<Path>) {
        found.push(Path { inside: self.inside(), segments, name: None });
        let mut open = 0;
        while open > 0 || ![";", ",", "}"].contains(&self.token(0)) {
            match self.token(0) {
                "{" => open += 1,
                "}" => open -= 1,
                _ => {}
            }
            self.at += 1;
        }
    }

    fn read_group(&mut self, before: &[String], found: &mut Vec<Path>) {
        self.at += 1;
        while self.token(0) != "}" {
            self.read_use(before, found);
            if self.token(0) == "," {
                self.at += 1;
            }
        }
        self.at += 1;
    }
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c| is_word(c) && !char::is_numeric(c))
}
