use std::time::Instant;

use crate::decision::attempts::Attempts;
use crate::store::run_again::RunAgain;

/// As the [one that blocks](crate::store::run_again::attempt); it pauses on the runtime's timer.
pub(crate) async fn attempt<T, E: RunAgain>(
    most: u32,
    tell: impl Fn(u32),
    mut work: impl AsyncFnMut(u32) -> Result<T, E>,
) -> Result<T, E> {
    let mut attempts = Attempts::up_to(most);
    loop {
        let begun = Instant::now();
        match work(attempts.made()).await {
            Err(error) if error.may_run_again() => {
                let Some(pause) = attempts.pause_after(begun.elapsed()) else { return Err(error) };
                tell(attempts.made());
                tokio::time::sleep(pause).await;
            }
            outcome => return outcome,
        }
    }
}
