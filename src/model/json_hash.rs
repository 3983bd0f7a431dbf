use std::hash::Hasher;

use twox_hash::XxHash64;

use crate::model::json_tokens::Tokens;

/// A number that two JSON texts have in common if they say the same, digit by digit. The order in which the
/// members of an object are written says nothing: that of a hash map changes from one time to the next.
pub(crate) fn json_hash(text: &str) -> u64 {
    let mut open = vec![Group::object()];
    for token in Tokens::of(text) {
        match token {
            b"{" => open.push(Group::object()),
            b"[" => open.push(Group::list()),
            b"}" | b"]" => end(&mut open),
            scalar => add(&mut open, hash(&[scalar])),
        }
    }
    // Of the text itself, which is added like a name without a value.
    while open.len() > 1 {
        end(&mut open);
    }
    open.pop().and_then(|text| text.name).unwrap_or(0)
}

/// An object or a list, as far as it has been read.
struct Group {
    is_list: bool,
    hash: u64,
    /// Of the member whose value comes next.
    name: Option<u64>,
}

impl Group {
    fn object() -> Self {
        Self { is_list: false, hash: 0, name: None }
    }

    fn list() -> Self {
        Self { is_list: true, ..Self::object() }
    }

    fn add(&mut self, part: u64) {
        if self.is_list {
            self.hash = hash(&[&self.hash.to_le_bytes(), &part.to_le_bytes()]);
            return;
        }
        match self.name.take() {
            None => self.name = Some(part),
            Some(name) => {
                let member = hash(&[&name.to_le_bytes(), &part.to_le_bytes()]);
                self.hash = self.hash.wrapping_add(member);
            }
        }
    }
}

fn add(open: &mut [Group], part: u64) {
    if let Some(group) = open.last_mut() {
        group.add(part);
    }
}

fn end(open: &mut Vec<Group>) {
    if open.len() > 1 {
        let ended = open.pop().map_or(0, |group| hash(&[&[group.is_list.into()], &group.hash.to_le_bytes()]));
        add(open, ended);
    }
}

fn hash(parts: &[&[u8]]) -> u64 {
    let mut hasher = XxHash64::with_seed(0);
    for part in parts {
        hasher.write(part);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::json_hash;

    #[test]
    fn the_order_of_members_says_nothing() {
        let one = r#"{"a":1,"b":{"c":[true,{"x":null,"y":"z"}],"d":"}"}}"#;
        let other = r#"{ "b": {"d":"}", "c":[true, {"y":"z","x":null}]}, "a":1 }"#;
        assert_eq!(json_hash(one), json_hash(other));
    }

    #[test]
    fn everything_else_does() {
        let texts = [
            "7",
            "70",
            r#""7""#,
            "null",
            "[]",
            "{}",
            "[[]]",
            "[{}]",
            "[1,2]",
            "[2,1]",
            "[[1],2]",
            "[1,[2]]",
            r#"{"a":1}"#,
            r#"{"a":2}"#,
            r#"{"b":1}"#,
            r#"{"a":1,"b":2}"#,
            r#"{"a":2,"b":1}"#,
            r#"{"a":{"b":2}}"#,
            r#"["a",1]"#,
            r#"{"a":[]}"#,
            r#"{"a":{}}"#,
            r#"{"a":"\"b"}"#,
            r#"{"a":1.0}"#,
            "18446744073709551616",
            "18446744073709551617",
            r#"{"a":1,"b":1}"#,
            r#"{"a":[1,"b",1]}"#,
        ];
        for (nth, one) in texts.iter().enumerate() {
            for other in &texts[..nth] {
                assert_ne!(json_hash(one), json_hash(other), "{one} and {other}");
            }
        }
    }

    /// It is part of what is stored.
    #[test]
    fn it_is_the_same_for_ever() {
        assert_eq!(json_hash(r#"{"a":[1]}"#), 15_743_451_600_917_760_475);
    }

    /// A row may have been written by hand.
    #[test]
    fn what_is_no_json_has_some_number() {
        for text in ["", "}", "]]]", "[[[", "{\"", "\"\\", "{\"a\":", "1 2 3", "\u{e9}", ",:"] {
            json_hash(text);
        }
    }
}
