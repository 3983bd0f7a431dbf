/// Something that is wrong, and what to do about it.
pub struct Problem {
    pub what: String,
    pub advice: String,
}

impl Problem {
    pub fn new(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { what: what.into(), advice: advice.into() }
    }

    /// With what to type after the name of the command.
    pub fn to_type(what: impl Into<String>, arguments: impl AsRef<str>) -> Self {
        Self::new(what, format!("type: diesel-event-store {}", arguments.as_ref()))
    }
}
