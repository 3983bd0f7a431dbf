use super::error::FileProblem;
use crate::line::object::Object;

/// A line that says of what kind it is: `{"stream":{…}}`.
pub(super) fn of_kind(line: &mut Vec<u8>, kind: &str, write: impl FnOnce(&mut Object<'_>)) {
    for text in ["{\"", kind, "\":"] {
        line.extend_from_slice(text.as_bytes());
    }
    let mut object = Object::begin(line);
    write(&mut object);
    object.end();
    line.push(b'}');
}

/// Whether a line is, to the character, what an export writes for the same content. What is read from it would
/// not add the same to the chain otherwise.
pub(super) fn compare(line: &str, written: &[u8]) -> Result<(), FileProblem> {
    if line.as_bytes() == written {
        return Ok(());
    }
    let is_equal = |(one, other): &(u8, &u8)| one == *other;
    let differs_at = line.bytes().zip(written).take_while(is_equal).count();
    Err(FileProblem::WrittenOtherwise { field: field_at(line, differs_at).to_owned() })
}

/// How deep the fields of an item are.
const DEPTH: usize = 2;

/// The field within which a byte of a line of JSON is.
fn field_at(line: &str, byte: usize) -> &str {
    let (mut fields, mut depth, mut at) = ([""; DEPTH + 1], 0, 0);
    while at < byte.min(line.len()) {
        match line.as_bytes()[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = usize::saturating_sub(depth, 1),
            b'"' => {
                let end = end_of_text(line, at + 1);
                let is_field = line[end..].trim_start_matches(['"', ' ', '\t']).starts_with(':');
                if is_field && depth <= DEPTH {
                    fields[depth..].fill("");
                    fields[depth] = &line[at + 1..end];
                }
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    let inner = fields[..=depth.min(DEPTH)].iter().rfind(|field| !field.is_empty());
    inner.copied().unwrap_or("the line")
}

/// Where the quotation mark is that ends a text, or the line.
fn end_of_text(line: &str, begin: usize) -> usize {
    let mut is_escaped = false;
    let end = line[begin..].bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    });
    end.map_or(line.len(), |end| begin + end)
}

#[cfg(test)]
mod tests {
    use super::compare;

    #[test]
    fn the_field_is_named() {
        let event = r#"{"global_position":1,"event_type":"A\"","payload":{"a":{"b":[1]}},"created_at":"x""#;
        let start = r#"{"stream":{"aggregate_type":"Order","version":3}}"#;
        for (line, from, to, field) in [
            (event, ":1", ": 1", "global_position"),
            (event, r#"A\""#, r#"A\u0022"#, "event_type"),
            (event, r#"{"a""#, r#" {"a""#, "payload"),
            (event, "}},", "}} ,", "payload"),
            (event, "\"x\"", "\"y\"", "created_at"),
            (start, "{\"stream", "{ \"stream", "the line"),
            (start, "3", "03", "version"),
        ] {
            let other = line.replacen(from, to, 1);
            let problem = compare(&other, line.as_bytes()).expect_err("it differs");
            assert_eq!(problem.to_string(), format!("{field} is not written as an export writes it"));
        }
        compare(event, event.as_bytes()).expect("it is the same");
    }
}
