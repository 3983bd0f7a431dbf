use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

/// A file imports something that another one declares.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrow {
    pub from: String,
    pub to: String,
    /// As it stands in the importing file.
    pub path: String,
}

impl fmt::Display for Arrow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {} (by {})", self.from, self.to, self.path)
    }
}

/// Those that do not lead to a lower floor or stay in their folder.
pub fn climbing(arrows: &[Arrow], floors: &[&[&str]]) -> Vec<String> {
    let floor = |folder: &str| floors.iter().position(|floor| floor.contains(&folder));
    let points_down = |arrow: &&Arrow| {
        let (from, to) = (folder(&arrow.from), folder(&arrow.to));
        match (floor(from), floor(to)) {
            (Some(higher), Some(lower)) => from == to || higher > lower,
            _ => false,
        }
    };
    arrows.iter().filter(|arrow| !points_down(arrow)).map(Arrow::to_string).collect()
}

fn folder(file: &str) -> &str {
    file.split('/').next().unwrap_or(file)
}

/// The shortest circle through each file that is in one.
pub fn circles(arrows: &[Arrow]) -> Vec<String> {
    let starts: BTreeSet<&String> = arrows.iter().map(|arrow| &arrow.from).collect();
    let circles = starts.into_iter().filter_map(|start| shortest_circle(arrows, start));
    let told: BTreeMap<BTreeSet<&Arrow>, Vec<&Arrow>> =
        circles.map(|circle| (circle.iter().copied().collect(), circle)).collect();
    told.values().map(|circle| circle.iter().map(|arrow| format!("    {arrow}\n")).collect()).collect()
}

fn shortest_circle<'a>(arrows: &'a [Arrow], start: &str) -> Option<Vec<&'a Arrow>> {
    let mut reached_by = BTreeMap::<&str, &Arrow>::new();
    let mut next = VecDeque::from([start]);
    while let Some(file) = next.pop_front() {
        for arrow in arrows.iter().filter(|arrow| arrow.from == file) {
            if !reached_by.contains_key(arrow.to.as_str()) {
                reached_by.insert(&arrow.to, arrow);
                next.push_back(&arrow.to);
            }
        }
    }
    let mut circle = vec![*reached_by.get(start)?];
    while circle[0].from != start {
        circle.insert(0, reached_by[circle[0].from.as_str()]);
    }
    Some(circle)
}
