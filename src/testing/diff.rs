/// What is expected (`-`) and not there, what is there (`+`) and not expected, and what is both, in order.
pub(super) fn diff(expected: &[String], actual: &[String]) -> String {
    let common = common(expected, actual);
    let (mut lines, mut at, mut to) = (Vec::new(), 0, 0);
    while at < expected.len() || to < actual.len() {
        if at < expected.len() && to < actual.len() && expected[at] == actual[to] {
            lines.push(format!("  {}", expected[at]));
            (at, to) = (at + 1, to + 1);
        } else if to == actual.len() || at < expected.len() && common[at + 1][to] >= common[at][to + 1] {
            lines.push(format!("- {}", expected[at]));
            at += 1;
        } else {
            lines.push(format!("+ {}", actual[to]));
            to += 1;
        }
    }
    lines.join("\n")
}

/// How many lines two rests have in common, by where they begin.
fn common(expected: &[String], actual: &[String]) -> Vec<Vec<usize>> {
    let mut common = vec![vec![0; actual.len() + 1]; expected.len() + 1];
    for at in (0..expected.len()).rev() {
        for to in (0..actual.len()).rev() {
            common[at][to] = match expected[at] == actual[to] {
                true => common[at + 1][to + 1] + 1,
                false => common[at + 1][to].max(common[at][to + 1]),
            };
        }
    }
    common
}
