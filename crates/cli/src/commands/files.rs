//! Files, compressed or not, by the ends of their names.

use std::borrow::Borrow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::watched::{Counted, Interruptible, Numbered};
use super::zst::{ZstReader, ZstWriter};
use crate::progress::Progress;

/// Standard input or output.
pub const PIPE: &str = "-";

/// What a file is written through. `finish` writes the end of what compresses it.
pub enum Writer {
    Plain(File),
    Gz(GzEncoder<File>),
    Zst(ZstWriter),
}

impl Writer {
    /// `name` decides, and `file` is written.
    pub fn new(name: &str, file: File) -> Self {
        match extension(name) {
            Some("gz") => Self::Gz(GzEncoder::new(file, Compression::default())),
            Some("zst") => Self::Zst(ZstWriter::new(file)),
            _ => Self::Plain(file),
        }
    }

    pub fn finish(self) -> io::Result<File> {
        match self {
            Self::Plain(file) => Ok(file),
            Self::Gz(encoder) => encoder.finish(),
            Self::Zst(encoder) => encoder.finish(),
        }
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Gz(encoder) => encoder.write(bytes),
            Self::Zst(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Gz(encoder) => encoder.flush(),
            Self::Zst(encoder) => encoder.flush(),
        }
    }
}

/// A file to be read, from its beginning, and how much of it was read.
pub fn open(name: &str, is_quiet: bool) -> io::Result<Box<dyn BufRead>> {
    reader(name, is_quiet).map_err(|error| of_file(name, &error))
}

fn reader(name: &str, is_quiet: bool) -> io::Result<Box<dyn BufRead>> {
    let file = counted(File::open(name)?, is_quiet)?;
    let reader: Box<dyn Read> = match extension(name) {
        Some("gz") => Box::new(Numbered::new(MultiGzDecoder::new(file))),
        Some("zst") => Box::new(Numbered::new(ZstReader::new(file))),
        _ => Box::new(file),
    };
    Ok(buffered(reader))
}

fn counted<F>(input: F, is_quiet: bool) -> io::Result<Counted<F>>
where
    F: Borrow<File>,
{
    let file: &File = input.borrow();
    let progress = Progress::of_bytes("reading", file.metadata()?.len(), is_quiet);
    Ok(Counted { input, progress })
}

fn buffered<'r>(reader: impl Read + 'r) -> Box<dyn BufRead + 'r> {
    Box::new(Interruptible(BufReader::with_capacity(1 << 20, reader)))
}

/// The error, with the file that it is about.
pub fn of_file(name: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{name}: {error}"))
}

/// Standard input, in a file that is gone with the command: an import reads everything twice.
pub fn spooled() -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut io::stdin().lock(), &mut file)?;
    Ok(file)
}

pub fn rewound(mut file: &File, is_quiet: bool) -> io::Result<Box<dyn BufRead + '_>> {
    file.rewind()?;
    Ok(buffered(counted(file, is_quiet)?))
}

fn extension(name: &str) -> Option<&str> {
    Path::new(name).extension()?.to_str()
}
