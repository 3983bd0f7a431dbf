/// Brackets, strings with their quotes, and what else is written in one piece.
pub(super) struct Tokens<'a>(&'a [u8]);

impl<'a> Tokens<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self(text.as_bytes())
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let is_between = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':');
        let begin = self.0.iter().position(|byte| !is_between(byte))?;
        let rest = &self.0[begin..];
        let length = match rest[0] {
            b'{' | b'}' | b'[' | b']' => 1,
            b'"' => length_of_string(rest),
            _ => rest
                .iter()
                .position(|byte| is_between(byte) || matches!(byte, b'}' | b']'))
                .unwrap_or(rest.len()),
        };
        let (token, rest) = rest.split_at(length);
        self.0 = rest;
        Some(token)
    }
}

fn length_of_string(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}
