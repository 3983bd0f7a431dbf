//! Zstandard, without a C library: frames of their own, one behind the other, as the format allows.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};

use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// What is compressed at once.
const FRAME_BYTES: usize = 4 << 20;

pub struct ZstWriter {
    file: File,
    frame: Vec<u8>,
}

impl ZstWriter {
    pub fn new(file: File) -> Self {
        Self { file, frame: Vec::with_capacity(FRAME_BYTES) }
    }

    pub fn finish(mut self) -> io::Result<File> {
        self.end_frame()?;
        Ok(self.file)
    }

    fn end_frame(&mut self) -> io::Result<()> {
        let compressed = compress_to_vec(&*self.frame, CompressionLevel::Fastest);
        self.frame.clear();
        self.file.write_all(&compressed)
    }
}

impl Write for ZstWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frame.extend_from_slice(bytes);
        if self.frame.len() >= FRAME_BYTES {
            self.end_frame()?;
        }
        Ok(bytes.len())
    }

    /// The frame goes on.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub struct ZstReader<R: Read> {
    /// `None` after an error.
    frame: Option<Frame<R>>,
}

type Frame<R> = StreamingDecoder<BufReader<R>, FrameDecoder>;

impl<R: Read> ZstReader<R> {
    pub fn new(file: R) -> io::Result<Self> {
        Ok(Self { frame: Some(frame(BufReader::new(file))?) })
    }
}

impl<R: Read> Read for ZstReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(mut current) = self.frame.take() {
            let read = current.read(buffer)?;
            if read > 0 {
                self.frame = Some(current);
                return Ok(read);
            }
            let mut file = current.into_inner();
            if file.fill_buf()?.is_empty() {
                return Ok(0);
            }
            self.frame = Some(frame(file)?);
        }
        Ok(0)
    }
}

fn frame<R: Read>(file: BufReader<R>) -> io::Result<Frame<R>> {
    StreamingDecoder::new(file).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
