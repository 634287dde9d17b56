//! Searches put down in files, which another process goes on with.
//!
//! A file says what it is of, in two lines; how far the search is, in a line of JSON; then everything that it has
//! found, as breadth.rs and store.rs write it, in the byte order of the machine; and a checksum of all that. It is
//! written whole or not at all. One that is damaged is refused, and so is one of another input or by other rules:
//! nobody could tell such a result from a right one.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

const FIRST_LINE: &str = "overhear checkpoint 1";

/// The file of one search.
pub struct Checkpoint {
    path: PathBuf,
    every: Duration,
    written: Mutex<Instant>,
    /// What went wrong first when it was written.
    failed: Mutex<Option<io::Error>>,
}

/// What a file is of.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Of {
    /// A hash of the world, the properties asked for and the reductions.
    input: String,
    /// A hash of the sources of the rules and of the search.
    rules: String,
}

impl Of {
    fn input(input: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        input.hash(&mut hasher);
        Self { input: format!("{:016x}", hasher.finish()), rules: env!("OVERHEAR_RULES").to_string() }
    }
}

/// Why a search does not go on from a file.
#[derive(Debug)]
pub struct Refused {
    path: PathBuf,
    why: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} {}", self.path.display(), self.why)
    }
}

impl Checkpoint {
    /// The file at `path`, to be written again after so long.
    pub fn new(path: &Path, every: Duration) -> Self {
        Self { path: path.into(), every, written: Mutex::new(Instant::now()), failed: Mutex::default() }
    }
    /// Whether it was ever written.
    pub fn exists(&self) -> bool {
        self.path.exists()
    }
    /// Whether it is time to write it again.
    pub fn is_due(&self) -> bool {
        self.written.lock().is_ok_and(|written| written.elapsed() >= self.every)
    }
    /// What went wrong when it was written, if anything did: the last one that was written whole is still there.
    pub fn failed(self) -> Option<String> {
        let failed = self.failed.into_inner().ok().flatten()?;
        Some(format!("{} could not be written: {failed}", self.path.display()))
    }

    /// Writes the file for the search of `input`, which is so far; `body` writes what it has found.
    pub fn write(&self, input: &str, far: &impl Serialize, body: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        let done = self.try_to_write(input, far, body);
        if let (Err(e), Ok(mut failed)) = (done, self.failed.lock()) {
            failed.get_or_insert(e);
        }
        if let Ok(mut written) = self.written.lock() {
            *written = Instant::now();
        }
    }
    fn try_to_write(
        &self,
        input: &str,
        far: &impl Serialize,
        body: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let dir = self.path.parent().unwrap_or(Path::new("."));
        let file = tempfile::NamedTempFile::new_in(dir)?;
        let mut out = Summed { out: BufWriter::with_capacity(1 << 20, file), sum: crc32fast::Hasher::new() };
        writeln!(out, "{FIRST_LINE}\n{}\n{}", serde_json::to_string(&Of::input(input))?, serde_json::to_string(far)?)?;
        body(&mut out)?;
        let Summed { mut out, sum } = out;
        out.write_all(&sum.finalize().to_le_bytes())?;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }

    /// How far the search of `input` was when the file was written, and what reads the rest; none if there is no file.
    pub fn read<Far: DeserializeOwned>(&self, input: &str) -> Result<Option<(Far, impl BufRead + use<Far>)>, Refused> {
        let refused = |why: &str| Refused { path: self.path.clone(), why: why.to_string() };
        let unreadable = |e: io::Error| refused(&format!("cannot be read: {e}"));
        let file = match fs::File::open(&self.path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(unreadable)?,
        };
        let len = file.metadata().map_err(unreadable)?.len();
        let begins = |line: &[u8]| line.strip_suffix(b"\n") == Some(FIRST_LINE.as_bytes());
        let mut input_file = BufReader::with_capacity(1 << 20, file);
        let mut line = Vec::new();
        input_file.by_ref().take(64).read_until(b'\n', &mut line).map_err(unreadable)?;
        if !begins(&line) {
            return Err(refused("is no checkpoint of this version of Overhear"));
        }
        let mut sum = crc32fast::Hasher::new();
        sum.update(&line);
        let rest = len.saturating_sub(line.len() as u64 + 4);
        let summed = feed(&mut sum, input_file.by_ref().take(rest)).map_err(unreadable)?;
        let mut end = Vec::new();
        input_file.read_to_end(&mut end).map_err(unreadable)?;
        if summed != rest || end != sum.finalize().to_le_bytes() {
            return Err(refused("is damaged: its checksum is not that of what it holds"));
        }
        let mut input_file = BufReader::with_capacity(1 << 20, fs::File::open(&self.path).map_err(unreadable)?);
        let damaged = |_| refused("is damaged: its lines are not what they should be");
        input_file.read_until(b'\n', &mut Vec::new()).map_err(unreadable)?;
        let of: Of = read_line(&mut input_file).map_err(damaged)?;
        if of.rules != Of::input(input).rules {
            return Err(refused("was written by a version of Overhear with other rules"));
        }
        if of != Of::input(input) {
            return Err(refused("was written for another scenario or model of this name"));
        }
        Ok(Some((read_line(&mut input_file).map_err(damaged)?, input_file)))
    }
    /// A refusal of what `read` left to be read.
    pub fn refuse(&self, e: &io::Error) -> Refused {
        Refused { path: self.path.clone(), why: format!("cannot be read: {e}") }
    }
}

/// Reads a line of JSON.
pub fn read_line<T: DeserializeOwned>(input: &mut impl BufRead) -> io::Result<T> {
    let mut line = Vec::new();
    input.read_until(b'\n', &mut line)?;
    Ok(serde_json::from_slice(&line)?)
}

/// Adds all that can be read to a checksum; returns how many bytes that was.
fn feed(sum: &mut crc32fast::Hasher, mut input: impl Read) -> io::Result<u64> {
    let (mut buffer, mut all) = (vec![0; 1 << 16], 0);
    loop {
        let len = input.read(&mut buffer)?;
        if len == 0 {
            return Ok(all);
        }
        sum.update(&buffer[..len]);
        all += len as u64;
    }
}

/// Adds what is written to a checksum.
struct Summed<W> {
    out: W,
    sum: crc32fast::Hasher,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = self.out.write(bytes)?;
        self.sum.update(&bytes[..len]);
        Ok(len)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
