use crate::failure::{Failure, Result};

/// What only those know who may look: 128 random bits, which end with the command.
pub struct Token(String);

impl Token {
    pub fn random() -> Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| Failure::new("no_random_numbers", error))?;
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// In the same time whatever is said, so that it cannot be guessed digit by digit.
    pub fn is(&self, said: &str) -> bool {
        let differences =
            self.0.bytes().zip(said.bytes()).fold(0, |all, (ours, theirs)| all | (ours ^ theirs));
        said.len() == self.0.len() && differences == 0
    }
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn only_the_whole_token_is_the_token() {
        let token = Token::random().unwrap();
        assert_eq!(token.as_str().len(), 32);
        assert!(token.is(token.as_str()));
        let wrong =
            [String::new(), token.as_str()[1..].into(), format!("{}0", token.as_str()), "0".repeat(32)];
        assert!(!wrong.iter().any(|wrong| token.is(wrong)));
        assert!(!token.is(Token::random().unwrap().as_str()));
    }
}
