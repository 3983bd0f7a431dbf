use std::time::Duration;

/// How long a bench takes.
#[derive(Clone, Copy, PartialEq)]
pub enum Length {
    /// Runs each operation once, to check that it works: `cargo bench -- --test`, and `cargo test --benches`.
    Test,
    Quick,
    Full,
}

impl Length {
    pub fn from_args() -> Self {
        let arguments: Vec<String> = std::env::args().collect();
        let given = |argument: &str| arguments.iter().any(|given| given == argument);
        // `cargo bench` passes this, `cargo test` does not.
        if given("--test") || !given("--bench") {
            Self::Test
        } else if given("--quick") {
            Self::Quick
        } else {
            Self::Full
        }
    }

    /// How long a comparison takes, if anything is measured.
    pub fn budget(self, full: Duration) -> Option<Duration> {
        match self {
            Self::Test => None,
            Self::Quick => Some(Duration::from_millis(1500)),
            Self::Full => Some(full),
        }
    }

    /// The amount of data, which is smaller when the bench only checks that it works.
    pub fn size<T>(self, usual: T, test: T) -> T {
        if self == Self::Test { test } else { usual }
    }
}
