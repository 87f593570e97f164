//! A server that does nothing but write to its sockets: the limit that others are compared with.
//!
//! Whoever connects says one byte. Zero: it listens, and is answered a zero. Any other number: so
//! many frames are written at once to each of those who listen, and then a zero to who asked.

use std::io::{Read, Result, Write};
use std::net::{TcpListener, TcpStream};

/// As long as a presence event in its frame: four bytes that say that it is text, and how long.
const FRAME: usize = 336;

fn main() -> Result<()> {
    let server = TcpListener::bind("127.0.0.1:0")?;
    println!("listening on {}", server.local_addr()?);
    let frames = frame().repeat(usize::from(u8::MAX));
    let mut listeners: Vec<TcpStream> = Vec::new();
    loop {
        let (mut stream, _) = server.accept()?;
        stream.set_nodelay(true)?;
        let mut count = [0];
        stream.read_exact(&mut count)?;
        match count[0] {
            0 => listeners.push(stream.try_clone()?),
            count => {
                for listener in &mut listeners {
                    listener.write_all(&frames[..usize::from(count) * FRAME])?;
                }
            }
        }
        stream.write_all(&[0])?;
    }
}

fn frame() -> Vec<u8> {
    let length = (FRAME - 4) as u16;
    let mut frame = vec![0x81, 126];
    frame.extend(length.to_be_bytes());
    frame.extend(format!("{:width$}", "something happened", width = FRAME - 4).into_bytes());
    frame
}
