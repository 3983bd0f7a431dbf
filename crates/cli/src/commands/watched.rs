//! A file that tells how much of it is read or written, and that breaks off after Ctrl-C.

use std::io::{self, BufRead, Read, Write};

use crate::interrupt;
use crate::output::number;
use crate::progress::Progress;

/// Counts the bytes that are read.
pub struct Counted<R> {
    pub input: R,
    pub progress: Progress,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.progress.add(read as u64);
        Ok(read)
    }
}

/// Says behind which line it cannot be read any more.
pub struct Numbered<R> {
    input: R,
    lines: u64,
}

impl<R: Read> Numbered<R> {
    pub fn new(input: R) -> Self {
        Self { input, lines: 0 }
    }
}

impl<R: Read> Read for Numbered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer).map_err(|error| {
            io::Error::new(error.kind(), format!("behind line {}: {error}", number(self.lines)))
        })?;
        self.lines += lines(&buffer[..read]);
        Ok(read)
    }
}

fn lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// Breaks off between two lines.
pub struct Interruptible<R>(pub R);

impl<R: BufRead> Read for Interruptible<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        interrupt::refuse()?;
        self.0.read(buffer)
    }
}

impl<R: BufRead> BufRead for Interruptible<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        interrupt::refuse()?;
        self.0.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

/// Counts the lines that are written, of which an event is one, and breaks off between two pages.
pub struct Lines<'p, W> {
    pub out: W,
    pub progress: &'p Progress,
}

impl<W: Write> Write for Lines<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        interrupt::refuse()?;
        let written = self.out.write(bytes)?;
        self.progress.add(lines(&bytes[..written]));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
