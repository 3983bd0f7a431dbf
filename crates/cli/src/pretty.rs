use serde::de::IgnoredAny;

/// JSON with indents.
pub struct Indented {
    pub text: String,
    /// The rest would be too long. Where much is deeply nested, indents make gigabytes of 16 MiB.
    pub is_cut: bool,
}

/// At most about so many bytes of it. What stands between its parts changes and nothing else, so digits that
/// no number holds, escapes, and keys that come twice are as they were recorded. What is no JSON stays as it
/// is.
pub fn pretty(json: &str, most: usize) -> Indented {
    let is_json = serde_json::from_str::<IgnoredAny>(json).is_ok();
    let mut pretty = Pretty::default();
    for c in json.chars() {
        if pretty.text.len() >= most {
            return Indented { text: pretty.text, is_cut: true };
        }
        if is_json { pretty.push(c) } else { pretty.text.push(c) }
    }
    Indented { text: pretty.text, is_cut: false }
}

#[derive(Default)]
struct Pretty {
    text: String,
    depth: usize,
    /// What was opened last is still empty.
    is_empty: bool,
    in_string: bool,
    is_escaped: bool,
}

impl Pretty {
    fn push(&mut self, c: char) {
        match c {
            _ if self.in_string => self.push_in_string(c),
            ' ' | '\t' | '\r' | '\n' => {}
            '{' | '[' => {
                self.part(c);
                self.depth += 1;
                self.is_empty = true;
            }
            '}' | ']' => self.close(c),
            ',' => {
                self.text.push(c);
                self.line();
            }
            ':' => self.text.push_str(": "),
            _ => {
                self.in_string = c == '"';
                self.part(c);
            }
        }
    }

    fn push_in_string(&mut self, c: char) {
        self.text.push(c);
        self.in_string = self.is_escaped || c != '"';
        self.is_escaped = !self.is_escaped && c == '\\';
    }

    fn part(&mut self, c: char) {
        if self.is_empty {
            self.is_empty = false;
            self.line();
        }
        self.text.push(c);
    }

    fn close(&mut self, c: char) {
        self.depth -= 1;
        if !self.is_empty {
            self.line();
        }
        self.is_empty = false;
        self.text.push(c);
    }

    fn line(&mut self) {
        self.text.push('\n');
        self.text.push_str(&"  ".repeat(self.depth));
    }
}

#[cfg(test)]
mod tests {
    fn pretty(json: &str) -> String {
        super::pretty(json, usize::MAX).text
    }

    #[test]
    fn json_gets_indents() {
        let json = r#"{"a":[1,{"b":null}],"c":"x: {\"y\"}, \\","d":{},"e":[ ]}"#;
        let expected = r#"{
  "a": [
    1,
    {
      "b": null
    }
  ],
  "c": "x: {\"y\"}, \\",
  "d": {},
  "e": []
}"#;
        assert_eq!(pretty(json), expected);
    }

    #[test]
    fn what_would_be_too_long_is_cut() {
        let beginning = super::pretty(r#"{"a":[1,2]}"#, 16);
        assert_eq!((&*beginning.text, beginning.is_cut), ("{\n  \"a\": [\n    1", true));
        let whole = super::pretty("[no json", 8);
        assert_eq!((&*whole.text, whole.is_cut), ("[no json", false));
        assert!(super::pretty("[no json]", 8).is_cut);
        let many = format!("{}{}1{}", "[".repeat(100), "1,".repeat(8 << 20), "]".repeat(100));
        let cut = super::pretty(&many, 1 << 20);
        assert!(cut.is_cut && cut.text.len() < 2 << 20, "the whole would have 1.7 GB");
    }

    #[test]
    fn what_no_value_can_hold_stays() {
        assert_eq!(pretty(r#"{"a":1e400,"a":"\ud800"}"#), "{\n  \"a\": 1e400,\n  \"a\": \"\\ud800\"\n}");
        assert_eq!(pretty("{not json}"), "{not json}");
        assert_eq!(pretty("1.50"), "1.50");
    }
}
