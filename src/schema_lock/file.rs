use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::LockError;
use super::once::Once;

/// What was released: per name and version every schema that has ever been locked, the latest last. An event
/// may have been recorded before a field was added to its version, so no schema takes the place of an earlier
/// one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LockFile {
    events: BTreeMap<String, BTreeMap<i32, Vec<Value>>>,
    /// The latest version of the snapshots of each aggregate.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    snapshots: BTreeMap<String, LockedSnapshot>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LockedSnapshot {
    version: i32,
    schema: Value,
}

impl LockFile {
    /// `None` if there is no file.
    pub(super) fn load(path: &Path) -> Result<Option<Self>, LockError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(LockError::File { path: path.into(), source }),
        };
        let lock = serde_json::from_str(&text).and_then(|Once| serde_json::from_str(&text));
        lock.map(Some).map_err(|source| LockError::NotALock { path: path.into(), source })
    }

    pub(super) fn save(&self, path: &Path) -> Result<(), LockError> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|source| LockError::NotALock { path: path.into(), source })?;
        fs::write(path, text + "\n").map_err(|source| LockError::File { path: path.into(), source })
    }

    pub(super) fn schemas(&self, name: &str, version: i32) -> &[Value] {
        self.events.get(name).and_then(|versions| versions.get(&version)).map_or(&[], Vec::as_slice)
    }

    /// What was locked, with the name and the version it belongs to.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, i32, &[Value])> {
        self.events.iter().flat_map(|(name, versions)| {
            versions.iter().map(move |(version, schemas)| (name.as_str(), *version, schemas.as_slice()))
        })
    }

    pub(super) fn add(&mut self, name: &str, version: i32, schema: &Value) {
        let versions = self.events.entry(name.to_owned()).or_default();
        versions.entry(version).or_default().push(schema.clone());
    }

    /// Their version and shape.
    pub(super) fn snapshot(&self, aggregate_type: &str) -> Option<(i32, &Value)> {
        self.snapshots.get(aggregate_type).map(|locked| (locked.version, &locked.schema))
    }

    pub(super) fn set_snapshot(&mut self, aggregate_type: &str, version: i32, schema: &Value) {
        let locked = LockedSnapshot { version, schema: schema.clone() };
        self.snapshots.insert(aggregate_type.to_owned(), locked);
    }

    pub(super) fn forget(&mut self, name: &str, version: i32) {
        if let Some(versions) = self.events.get_mut(name) {
            versions.remove(&version);
        }
        self.events.retain(|_, versions| !versions.is_empty());
    }
}
