//! A file that tells how much of it is read or written, and that breaks off after Ctrl-C.

use std::io::{self, BufRead, Read, Write};

use crate::interrupt;
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
        self.progress.add(bytes[..written].iter().filter(|&&byte| byte == b'\n').count() as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
