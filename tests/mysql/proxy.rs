//! A proxy that splits reads from writes, as applications have them before a server and its replica: of the
//! queries outside of transactions, every other one goes to the replica. A transaction that only reads goes
//! there as a whole.

use std::collections::HashMap;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Where a proxy for these two listens. It ends with the program.
pub fn between(primary: i64, replica: i64) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for client in listener.incoming() {
            thread::spawn(move || {
                let served = client.and_then(|client| Split::begin(client, primary, replica)?.serve());
                served.inspect_err(|error| eprintln!("the proxy: {error}"))
            });
        }
    });
    Ok(port)
}

#[derive(Clone, Copy, PartialEq)]
enum To {
    Primary,
    Replica,
    Both,
}

/// One client, and its connections to both servers.
struct Split {
    client: TcpStream,
    primary: TcpStream,
    replica: TcpStream,
    /// What the client has prepared, by the primary's number: the text, and the replica's number.
    prepared: HashMap<u32, (String, u32)>,
    /// Where the transaction goes that is open.
    transaction: Option<To>,
    reads: usize,
}

impl Split {
    fn begin(client: TcpStream, primary: i64, replica: i64) -> Result<Self> {
        let connect = |port: i64| TcpStream::connect(format!("127.0.0.1:{port}"));
        let (primary, replica) = (connect(primary)?, connect(replica)?);
        let mut split =
            Self { client, primary, replica, prepared: HashMap::new(), transaction: None, reads: 0 };
        let greeting = without_extensions(packet(&mut split.primary)?);
        packet(&mut split.replica)?;
        split.client.write_all(&greeting)?;
        loop {
            let answer = packet(&mut split.client)?;
            split.replica.write_all(&answer)?;
            packet(&mut split.replica)?;
            split.primary.write_all(&answer)?;
            let answer = packet(&mut split.primary)?;
            split.client.write_all(&answer)?;
            if answer[4] == 0 {
                return Ok(split);
            }
        }
    }

    fn serve(mut self) -> Result<()> {
        loop {
            let command = packet(&mut self.client)?;
            match command[4] {
                0x01 => return Ok(()),
                0x03 => self.query(&command)?,
                0x16 => self.prepare(&command)?,
                0x17 => self.execute(&command)?,
                0x19 => self.close(&command)?,
                0x1a => self.reset(&command)?,
                0x1b => self.ask(To::Both, &command, &command, packet)?,
                other => return Err(Error::new(ErrorKind::Unsupported, format!("command {other}"))),
            }
        }
    }

    fn query(&mut self, command: &[u8]) -> Result<()> {
        let text = String::from_utf8_lossy(&command[5..]).into_owned();
        if text.starts_with("START TRANSACTION READ ONLY") {
            self.transaction = Some(To::Replica);
        }
        let is_setting = text.starts_with("SET ") && !text.contains("TRANSACTION");
        let to = self.transaction.unwrap_or(if is_setting { To::Both } else { To::Primary });
        if text.starts_with("ROLLBACK") || text.starts_with("COMMIT") {
            self.transaction = None;
        }
        self.ask(to, command, command, results)
    }

    fn prepare(&mut self, command: &[u8]) -> Result<()> {
        self.replica.write_all(command)?;
        let there = prepared(&mut self.replica)?;
        self.primary.write_all(command)?;
        let here = prepared(&mut self.primary)?;
        if here[4] == 0 {
            let text = String::from_utf8_lossy(&command[5..]).into_owned();
            self.prepared.insert(number(&here, 5), (text, number(&there, 5)));
        }
        self.client.write_all(&here)
    }

    fn execute(&mut self, command: &[u8]) -> Result<()> {
        let (text, there) = self.prepared[&number(command, 5)].clone();
        let is_read = text.starts_with("SELECT") && !text.contains("FOR UPDATE");
        let to = self.transaction.unwrap_or_else(|| {
            self.reads += usize::from(is_read);
            if is_read && self.reads % 2 == 0 { To::Replica } else { To::Primary }
        });
        self.ask(to, command, &renumbered(command, there), results)
    }

    fn close(&mut self, command: &[u8]) -> Result<()> {
        if let Some((_, there)) = self.prepared.remove(&number(command, 5)) {
            self.replica.write_all(&renumbered(command, there))?;
        }
        self.primary.write_all(command)
    }

    fn reset(&mut self, command: &[u8]) -> Result<()> {
        let there = self.prepared[&number(command, 5)].1;
        self.ask(To::Both, command, &renumbered(command, there), results)
    }

    fn ask(
        &mut self,
        to: To,
        here: &[u8],
        there: &[u8],
        read: impl Fn(&mut TcpStream) -> Result<Vec<u8>>,
    ) -> Result<()> {
        let mut answer = Vec::new();
        if to != To::Primary {
            self.replica.write_all(there)?;
            answer = read(&mut self.replica)?;
        }
        if to != To::Replica {
            self.primary.write_all(here)?;
            answer = read(&mut self.primary)?;
        }
        self.client.write_all(&answer)
    }
}

/// With its header of four bytes.
fn packet(stream: &mut TcpStream) -> Result<Vec<u8>> {
    let mut packet = vec![0; 4];
    stream.read_exact(&mut packet)?;
    let length = usize::from(packet[0]) | usize::from(packet[1]) << 8 | usize::from(packet[2]) << 16;
    packet.resize(4 + length, 0);
    stream.read_exact(&mut packet[4..])?;
    Ok(packet)
}

fn number(packet: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([packet[at], packet[at + 1], packet[at + 2], packet[at + 3]])
}

fn renumbered(command: &[u8], number: u32) -> Vec<u8> {
    [&command[..5], &number.to_le_bytes()[..], &command[9..]].concat()
}

/// Neither TLS, nor what would change the form of answers: CLIENT_SSL, CLIENT_DEPRECATE_EOF, and those of
/// MariaDB's own.
fn without_extensions(mut greeting: Vec<u8>) -> Vec<u8> {
    let version = greeting[5..].iter().position(|&byte| byte == 0).unwrap_or(0) + 6;
    let capabilities = version + 4 + 8 + 1;
    greeting[capabilities + 1] &= !0x08;
    greeting[capabilities + 6] &= !0x01;
    greeting[capabilities + 14..capabilities + 18].fill(0);
    greeting
}

fn is_end(packet: &[u8]) -> bool {
    packet[4] == 0xfe && packet.len() < 13
}

/// The answer to a statement, or to several in one.
fn results(stream: &mut TcpStream) -> Result<Vec<u8>> {
    let mut answer = Vec::new();
    loop {
        let mut last = packet(stream)?;
        answer.extend(&last);
        let status = match last[4] {
            0xff => return Ok(answer),
            // Two numbers of one byte each, since nothing here affects more than a few rows.
            0x00 => last[7],
            _ => {
                for _ in 0..2 {
                    while {
                        last = packet(stream)?;
                        answer.extend(&last);
                        !is_end(&last) && last[4] != 0xff
                    } {}
                    if last[4] == 0xff {
                        return Ok(answer);
                    }
                }
                last[7]
            }
        };
        if status & 0x08 == 0 {
            return Ok(answer);
        }
    }
}

/// The answer to what is to be prepared.
fn prepared(stream: &mut TcpStream) -> Result<Vec<u8>> {
    let mut answer = packet(stream)?;
    if answer[4] == 0 {
        let has = |at: usize| answer[at] != 0 || answer[at + 1] != 0;
        for _ in 0..usize::from(has(9)) + usize::from(has(11)) {
            while {
                let next = packet(stream)?;
                answer.extend(&next);
                !is_end(&next)
            } {}
        }
    }
    Ok(answer)
}
