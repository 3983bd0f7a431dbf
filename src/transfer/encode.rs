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
