//! Zstandard, without a C library: frames of their own, one behind the other, as the format allows.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError::SkipFrame};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
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
    file: BufReader<R>,
    /// Of one frame after the other.
    decoder: FrameDecoder,
}

impl<R: Read> ZstReader<R> {
    pub fn new(file: R) -> Self {
        Self { file: BufReader::new(file), decoder: FrameDecoder::new() }
    }

    /// `false` at the end of the file. What other compressors tell each other between frames is skipped.
    fn begin_frame(&mut self) -> io::Result<bool> {
        while !self.file.fill_buf()?.is_empty() {
            match self.decoder.init(&mut self.file) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(SkipFrame { length, .. })) => {
                    self.skip(length.into())?;
                }
                Err(error) => return Err(damaged(error)),
            }
        }
        Ok(false)
    }

    fn skip(&mut self, length: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.file.by_ref().take(length), &mut io::sink())?;
        if skipped == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

impl<R: Read> Read for ZstReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.decoder.can_collect() == 0 {
            if self.decoder.is_finished() && !self.begin_frame()? {
                return Ok(0);
            }
            let some = BlockDecodingStrategy::UptoBytes(buffer.len());
            self.decoder.decode_blocks(&mut self.file, some).map_err(damaged)?;
        }
        self.decoder.read(buffer)
    }
}

fn damaged(error: FrameDecoderError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
