use std::fs::{self, File};
use std::io::{self, Write};

use super::files::{Writer, of_file};

/// A file that is written under another name until it is whole. One that is never finished is removed.
pub struct PartFile<'n> {
    name: &'n str,
    part: String,
    writer: Option<Writer>,
}

impl<'n> PartFile<'n> {
    pub fn create(name: &'n str) -> io::Result<Self> {
        let part = format!("{name}.part");
        let file = File::create(&part).map_err(|error| of_file(&part, &error))?;
        Ok(Self { name, part, writer: Some(Writer::new(name, file)) })
    }

    /// Gives it its name, once everything is on the disk.
    pub fn finish(mut self) -> io::Result<()> {
        let written = self.writer.take().expect("it is not finished").finish();
        written
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&self.part, self.name))
            .map_err(|error| of_file(self.name, &error))
    }

    fn writer(&mut self) -> &mut Writer {
        self.writer.as_mut().expect("it is not finished")
    }
}

impl Write for PartFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer().flush()
    }
}

impl Drop for PartFile<'_> {
    fn drop(&mut self) {
        drop(self.writer.take());
        let _ = fs::remove_file(&self.part); // there is none any more once it has its name
    }
}
