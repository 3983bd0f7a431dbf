use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path as FilePath;

use super::arrows::Arrow;
use super::paths::{Path, Paths, paths};

/// The files of a crate, each by the path of its module; that of `lib.rs` is empty.
pub struct Modules(BTreeMap<Vec<String>, File>);

struct File {
    /// Without its ending, relative to `src/`.
    name: String,
    paths: Paths,
}

/// Where a path leads.
enum Target {
    File(String),
    /// To another crate, or to a name of the file's own.
    Elsewhere,
    Nowhere,
}

impl Modules {
    pub fn of_this_crate() -> Self {
        let root = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        read_folder(&root, "", &mut files);
        Self::new(files)
    }

    /// Of names relative to `src/`, and the source of each.
    pub fn new(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let files = files.into_iter().map(|(name, source)| {
            let name = name.trim_end_matches(".rs").to_owned();
            let module = name.trim_end_matches("mod").split('/').filter(|part| !part.is_empty());
            let module = if name == "lib" { Vec::new() } else { module.map(str::to_owned).collect() };
            (module, File { name, paths: paths(&source) })
        });
        Self(files.collect())
    }

    /// One of each file to each other that it imports.
    pub fn arrows(&self) -> Vec<Arrow> {
        self.0.iter().flat_map(|(module, file)| self.arrows_of(module, file)).collect()
    }

    fn arrows_of(&self, module: &[String], file: &File) -> Vec<Arrow> {
        let mut imported = HashSet::from([file.name.clone()]);
        let mut arrows = Vec::new();
        for path in &file.paths.found {
            if let Target::File(to) = self.target(module, path) {
                if imported.insert(to.clone()) {
                    arrows.push(Arrow { from: file.name.clone(), to, path: path.segments.join("::") });
                }
            }
        }
        arrows
    }

    /// The paths that lead to no file, and those that hide where they lead.
    pub fn lost(&self) -> Vec<String> {
        let paths = self
            .0
            .iter()
            .flat_map(|(module, file)| file.paths.found.iter().map(move |path| (module, &file.name, path)));
        let lost = paths.filter(|(module, _, path)| matches!(self.target(module, path), Target::Nowhere));
        lost.map(|(_, name, path)| format!("{name} has {}", path.segments.join("::"))).collect()
    }

    fn target(&self, file: &[String], path: &Path) -> Target {
        self.absolute(file, path, 0).map_or(Target::Elsewhere, |path| self.find(&path, 0))
    }

    /// The path from the root of the crate, if it leads into the crate.
    fn absolute(&self, file: &[String], path: &Path, depth: usize) -> Option<Vec<String>> {
        let mut here = [file, &path.inside].concat();
        let (first, rest) = path.segments.split_first()?;
        match first.as_str() {
            "crate" => return Some(rest.to_vec()),
            "self" => return Some([&here, rest].concat()),
            "super" => {
                let ups = path.segments.iter().take_while(|segment| *segment == "super").count();
                here.truncate(here.len() - ups);
                return Some([&here, &path.segments[ups..]].concat());
            }
            _ => {}
        }
        let child = [&here, std::slice::from_ref(first)].concat();
        if self.is_module(&child) {
            return Some([&child, rest].concat());
        }
        let import =
            self.import(file, &path.inside, first).filter(|import| import.segments != path.segments)?;
        assert!(depth < 10, "{} comes back to itself", path.segments.join("::"));
        Some([&self.absolute(file, import, depth + 1)?, rest].concat())
    }

    /// Follows the path to the file that declares what it names.
    fn find(&self, path: &[String], depth: usize) -> Target {
        assert!(depth < 10, "crate::{} comes back to itself", path.join("::"));
        let known = (0..=path.len()).rev().find(|&length| self.is_module(&path[..length]));
        let (module, rest) = path.split_at(known.expect("the root is a module"));
        let (file, inside) = self.file_of(module);
        let Some(name) = rest.first() else { return Target::File(self.0[file].name.clone()) };
        if let Some(import) = self.import(file, inside, name) {
            let Some(to) = self.absolute(file, import, 0) else { return Target::Elsewhere };
            // A macro may import, for another file, what its own file declares.
            if to != path {
                return self.find(&to, depth + 1);
            }
        }
        if name != "*" && self.declares(file, name) {
            Target::File(self.0[file].name.clone())
        } else {
            Target::Nowhere
        }
    }

    /// Whether the name stands in the file or, for a macro to put it there, in one that it imports.
    fn declares(&self, file: &[String], name: &str) -> bool {
        let stands_in = |file: &[String]| self.0[file].paths.words.contains(name);
        let imports = self.0[file].paths.found.iter().filter_map(|path| self.absolute(file, path, 0));
        stands_in(file) || imports.into_iter().any(|import| stands_in(self.file_of(&import).0))
    }

    /// What brings a name into a module from elsewhere.
    fn import(&self, file: &[String], inside: &[String], name: &str) -> Option<&Path> {
        let mut paths = self.0[file].paths.found.iter();
        paths.find(|path| {
            path.inside == inside && path.segments.len() > 1 && path.name.as_deref() == Some(name)
        })
    }

    fn is_module(&self, module: &[String]) -> bool {
        let (file, inside) = self.file_of(module);
        inside.is_empty() || self.0[file].paths.inline.iter().any(|inline| inline == inside)
    }

    /// The innermost module that is a file, and the rest of the path.
    fn file_of<'a>(&self, module: &'a [String]) -> (&'a [String], &'a [String]) {
        let length = (0..=module.len()).rev().find(|&length| self.0.contains_key(&module[..length]));
        module.split_at(length.expect("lib.rs is a file"))
    }
}

fn read_folder(folder: &FilePath, name: &str, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = format!("{name}{}", entry.file_name().into_string().expect("a name in UTF-8"));
        if entry.path().is_dir() {
            read_folder(&entry.path(), &format!("{name}/"), files);
        } else if name.ends_with(".rs") {
            files.push((name, fs::read_to_string(entry.path()).expect("a source file")));
        }
    }
}
