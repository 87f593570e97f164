//! A TCP connection, to which its owner writes, and for which others have whole frames.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// The owner's end.
pub struct Stream {
    reading: OwnedReadHalf,
    writer: Writer,
}

/// A way to write that waits for nothing. Clones write to the same connection.
#[derive(Clone)]
pub struct Writer(Arc<Mutex<Writing>>);

struct Writing {
    half: OwnedWriteHalf,
    /// What did not fit of somebody's frames: it goes out before anything else.
    rest: Vec<u8>,
    /// The owner is in the middle of a write.
    torn: bool,
    sealed: bool,
}

/// How much was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    All,
    /// The owner has to [flush](AsyncWrite::poll_flush) what is left.
    InPart,
    Nothing,
}

impl Stream {
    pub fn new(stream: TcpStream) -> Self {
        let (reading, half) = stream.into_split();
        let writing = Writing { half, rest: Vec::new(), torn: false, sealed: false };
        Self { reading, writer: Writer(Arc::new(Mutex::new(writing))) }
    }

    pub fn writer(&self) -> &Writer {
        &self.writer
    }
}

impl Writer {
    /// Writes these frames if there is room for them, and nobody is in the middle of one.
    pub fn try_write(&self, frames: &[u8]) -> Written {
        let mut writing = self.lock();
        if writing.torn || writing.sealed || !writing.rest.is_empty() {
            return Written::Nothing;
        }
        match writing.half.try_write(frames) {
            Ok(written) if written == frames.len() => Written::All,
            Ok(written) => {
                writing.rest.extend_from_slice(&frames[written..]);
                Written::InPart
            }
            // What is wrong, if it is more than that there is no room, the owner finds out.
            Err(_) => Written::Nothing,
        }
    }

    /// From now on only the owner writes.
    pub fn seal(&self) {
        self.lock().sealed = true;
    }

    fn lock(&self) -> MutexGuard<'_, Writing> {
        // Nothing panics under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writing {
    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.rest.is_empty() {
            let written = ready!(Pin::new(&mut self.half).poll_write(context, &self.rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.rest.drain(..written);
        }
        self.rest = Vec::new();
        Poll::Ready(Ok(()))
    }

    /// Writes by `write`, after the rest, out of so many bytes.
    fn poll_write_of(
        &mut self,
        context: &mut Context<'_>,
        length: usize,
        write: impl FnOnce(Pin<&mut OwnedWriteHalf>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_rest(context))?;
        let written = ready!(write(Pin::new(&mut self.half), context))?;
        self.torn = written < length;
        Poll::Ready(Ok(written))
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.reading).poll_read(context, to)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut writing = self.writer.lock();
        writing.poll_write_of(context, bytes.len(), |half, context| half.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = parts.iter().map(|part| part.len()).sum();
        let mut writing = self.writer.lock();
        writing.poll_write_of(context, length, |half, context| half.poll_write_vectored(context, parts))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.lock().poll_rest(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut writing = self.writer.lock();
        ready!(writing.poll_rest(context))?;
        Pin::new(&mut writing.half).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    static FRAME: [u8; 1_000_003] = [1; 1_000_003];

    async fn pair() -> io::Result<(Stream, TcpStream)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (here, there) = tokio::join!(listener.accept(), TcpStream::connect(listener.local_addr()?));
        Ok((Stream::new(here?.0), there?))
    }

    /// Writes until no more fits, and returns how many frames were taken, the last of them in part.
    fn fill(writer: &Writer) -> usize {
        let mut taken = 1;
        loop {
            match writer.try_write(&FRAME) {
                Written::All => taken += 1,
                Written::InPart => return taken,
                Written::Nothing => unreachable!("loopback sockets take no multiple of the frame"),
            }
        }
    }

    #[tokio::test]
    async fn what_did_not_fit_goes_out_before_what_the_owner_writes_next() -> io::Result<()> {
        let (mut here, mut there) = pair().await?;
        let mut expected = vec![1; fill(here.writer()) * FRAME.len()];
        assert_eq!(here.writer().try_write(&FRAME), Written::Nothing, "a part of another waits");
        expected.extend(b"mine");
        let mut read = vec![0; expected.len()];
        let (written, filled) = tokio::join!(here.write_all(b"mine"), there.read_exact(&mut read));
        written.and(filled)?;
        assert!(read == expected);
        assert_eq!(here.writer().try_write(&FRAME), Written::All);
        Ok(())
    }

    #[tokio::test]
    async fn nobody_writes_into_a_frame_of_the_owner_or_after_the_last() -> io::Result<()> {
        let (mut here, mut there) = pair().await?;
        let long = vec![2; 100 << 20];
        let written = here.write(&long).await?;
        let mut read = vec![0; written];
        there.read_exact(&mut read).await?;
        assert_eq!(here.writer().try_write(&FRAME), Written::Nothing);
        here.write_all(b"the rest").await?;
        there.read_exact(&mut read[..8]).await?;
        assert_eq!(here.writer().try_write(&FRAME), Written::All);
        here.writer().seal();
        assert_eq!(here.writer().try_write(&FRAME), Written::Nothing);
        Ok(())
    }
}
