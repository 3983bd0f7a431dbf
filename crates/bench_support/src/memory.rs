//! How much memory some work takes at most. A process keeps what it has once had, so the work is done by a
//! process of its own: the bench starts itself again.

use std::env;
use std::fs;
use std::process::Command;

use crate::length::Length;

/// What the process is to do that is measured.
const WORK: &str = "BENCH_WORK";

/// In bytes: what the number of streams may add, whatever hashes them, and what no two runs have in common.
const PER_STREAM: u64 = 128;
const NOISE: u64 = 4 << 20;

/// Makes glibc give back what was freed. What it keeps for each thread depends on which of them was faster, and
/// differs by up to 7 MiB from run to run.
const GIVE_BACK: [(&str, &str); 3] =
    [("MALLOC_ARENA_MAX", "1"), ("MALLOC_MMAP_THRESHOLD_", "131072"), ("MALLOC_TRIM_THRESHOLD_", "131072")];

/// Two logs, the second much longer.
pub fn sizes() -> [usize; 2] {
    let length = Length::from_args();
    let largest = env::var("EVENTS").map_or(100_000, |events| events.parse().expect("EVENTS is a number"));
    // Even the shorter one fills more than an import has in memory.
    [length.size((largest / 10).max(50_000), 40_000), length.size(largest, 60_000)]
}

/// The arguments of `peak_of`, if this is the process that is measured.
pub fn work() -> Option<Vec<String>> {
    Some(env::var(WORK).ok()?.split('\n').map(str::to_owned).collect())
}

/// The most memory that a process has while it does this, in bytes. None where the system does not tell.
pub fn peak_of(work: &[&str]) -> Option<u64> {
    let bench = env::current_exe().expect("a bench knows where it is");
    let mut measured = Command::new(bench);
    measured.env(WORK, work.join("\n")).envs(GIVE_BACK);
    let output = measured.output().expect("it starts");
    assert!(output.status.success(), "{work:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// The last thing that the measured process does.
pub fn tell_peak() {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    if let Some(kilobytes) = peak.and_then(|peak| peak.parse::<u64>().ok()) {
        println!("{}", kilobytes << 10);
    }
}

/// Prints what the work takes with the shorter log and with the longer one. Panics if it grows with the log,
/// but for a few bytes a stream.
pub fn compare(name: &str, streams: [usize; 2], peaks: [Option<u64>; 2]) {
    let [Some(short), Some(long)] = peaks else {
        println!("{name}: this system does not tell how much memory a process has had");
        return;
    };
    let [few, many] = sizes();
    println!("{name}: {} with {few} events, {} with {many}", mebibytes(short), mebibytes(long));
    let added = u64::try_from(streams[1] - streams[0]).expect("a count");
    assert!(long <= short + added * PER_STREAM + NOISE, "the memory of {name} grows with the log");
}

#[expect(clippy::cast_precision_loss)]
fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
