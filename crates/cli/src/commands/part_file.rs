use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use super::files::{Writer, of_file};

/// A file that is written under a name of its own until it is whole, so that no two commands write the same
/// one. One that is never finished is removed.
pub struct PartFile<'n> {
    name: &'n str,
    path: PathBuf,
    part: NamedTempFile,
    writer: Writer,
}

impl<'n> PartFile<'n> {
    pub fn create(name: &'n str) -> io::Result<Self> {
        Self::begin(name).map_err(|error| of_file(name, &error))
    }

    fn begin(name: &'n str) -> io::Result<Self> {
        let path = place(name)?;
        let part = part(&path)?;
        let writer = Writer::new(name, part.as_file().try_clone()?);
        Ok(Self { name, path, part, writer })
    }

    /// Gives it its name, once everything is on the disk, in the place of what had it.
    pub fn replace(self) -> io::Result<()> {
        self.finish(|part, path| Ok(part.persist(path)?))
    }

    /// Gives it its name, once everything is on the disk. If another file has it by now, that one stays.
    pub fn keep(self) -> io::Result<()> {
        self.finish(|part, path| Ok(part.persist_noclobber(path)?))
    }

    fn finish(self, rename: impl FnOnce(NamedTempFile, &Path) -> io::Result<File>) -> io::Result<()> {
        let Self { name, path, part, writer } = self;
        let written = writer.finish().and_then(|file| file.sync_all());
        let named = written.and_then(|()| rename(part, &path)).and_then(|_| sync_folder(&path));
        named.map_err(|error| of_file(name, &error))
    }
}

impl Write for PartFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Whether a file has this name. Anything else that has it cannot be replaced.
pub fn is_there(name: &str) -> io::Result<bool> {
    match fs::metadata(name) {
        Ok(there) if there.is_file() => Ok(true),
        Ok(_) => {
            let why =
                io::Error::other("it is no regular file, which could be replaced; - is standard output");
            Err(of_file(name, &why))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(of_file(name, &error)),
    }
}

/// Where the name leads: what a link points at is written, and the link stays.
fn place(name: &str) -> io::Result<PathBuf> {
    match fs::symlink_metadata(name) {
        Ok(there) if there.is_symlink() => fs::canonicalize(name),
        _ => Ok(name.into()),
    }
}

/// Beside it, because only there it can get its name.
fn part(path: &Path) -> io::Result<NamedTempFile> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut builder = Builder::new();
    let prefix = format!("{name}.");
    builder.prefix(&prefix).suffix(".part");
    readable(&mut builder);
    builder.tempfile_in(folder(path))
}

/// As far as other files are that the user makes.
#[cfg(unix)]
fn readable(builder: &mut Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn readable(_builder: &mut Builder<'_, '_>) {}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// So that the new name outlives a crash of the machine, too.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder(path))?.sync_all() } else { Ok(()) }
}
