//! The binary under test: run to its end, or started as a server.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

use crate::DEADLINE;

/// The built `lamppost`, beside the test that runs: `target/<profile>/lamppost`.
///
/// Cargo tells the path of a binary only to tests of its own package, so `cargo xtask test` builds everything before it runs tests.
///
/// # Panics
/// When it has not been built.
#[must_use]
pub fn lamppost() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    // target/<profile>/deps/<test>-<hash>
    let profile = test.ancestors().nth(2).expect("a test lies in target/<profile>/deps");
    let binary = profile.join("lamppost");
    assert!(
        binary.exists(),
        "{} is not built: run `cargo xtask test`, or `cargo build -p lamppost` first",
        binary.display()
    );
    binary
}

/// What a program left behind.
#[derive(Debug)]
pub struct Finished {
    /// Exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said beside.
    pub stderr: String,
}

impl Finished {
    /// Itself, if it ended with this code.
    ///
    /// # Panics
    /// When it ended otherwise.
    #[must_use]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", head(&self.stdout), head(&self.stderr));
        self
    }

    /// Standard output as one JSON value.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {}", head(&self.stdout)))
    }

    /// Standard output as one JSON value a line.
    ///
    /// # Panics
    /// When a line is none.
    #[must_use]
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        let parse =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("no JSON ({error}): {}", head(line)));
        self.stdout.lines().map(parse).collect()
    }
}

fn head(text: &str) -> &str {
    text.get(..2000).unwrap_or(text)
}

/// Runs the binary to its end, with nothing on standard input and no settings from the environment.
pub fn run<I, S>(args: I) -> Finished
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = Command::new(lamppost());
    command.args(args);
    finish(command)
}

/// Runs a command to its end.
///
/// # Panics
/// When it cannot be started or takes too long.
#[must_use]
pub fn finish(mut command: Command) -> Finished {
    undisturbed(&mut command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let end = Instant::now() + DEADLINE;
    let mut wait = |output: Receiver<Vec<u8>>| {
        output.recv_timeout(end.saturating_duration_since(Instant::now())).unwrap_or_else(|_| {
            // Not `wait`ed for: the panic ends the test anyway.
            let killed = child.kill();
            panic!("{command:?} took longer than {DEADLINE:?} (killed: {killed:?})")
        })
    };
    let (stdout, stderr) = (wait(stdout), wait(stderr));
    let status = child.wait().expect("a child that closed its output can be waited for");
    Finished {
        code: status.code(),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// Takes the settings of whoever runs the tests out of the child's environment.
fn undisturbed(command: &mut Command) {
    for name in ["LAMPPOST_DATA", "LAMPPOST_CONFIG", "NO_COLOR", "RUST_LOG", "RUST_BACKTRACE"] {
        if !command.get_envs().any(|(set, _)| set == name) {
            command.env_remove(name);
        }
    }
}

fn collect(stream: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (send, receive) = channel();
    let mut stream = stream.expect("the stream was piped");
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A child that was killed may break its pipe; what came before counts.
        let _ = stream.read_to_end(&mut bytes);
        let _ = send.send(bytes);
    });
    receive
}

/// A running server: `demo` or `serve`. Killed, by its own handle, when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens, as it printed it: `http://127.0.0.1:PORT/`.
    pub address: String,
    /// Everything printed before the address, and the line with it.
    pub greeting: Vec<String>,
}

impl Server {
    /// Starts the binary in `folder`, which also holds its temporary files, and waits until it prints where it listens.
    ///
    /// # Panics
    /// When it ends, or is silent for too long, before that.
    pub fn start<I, S>(args: I, folder: &Path) -> Self
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let (mut server, lines) = Self::begin(args, folder);
        let end = Instant::now() + DEADLINE;
        while server.address.is_empty() {
            let Ok(line) = lines.recv_timeout(end.saturating_duration_since(Instant::now())) else {
                panic!("it never said where it listens; it said: {:#?}", server.greeting);
            };
            server.address = address_in(&line).unwrap_or_default();
            server.greeting.push(line);
        }
        server
    }

    /// The same without waiting for anything: for those that are killed at any moment, also before they listen.
    pub fn launch<I, S>(args: I, folder: &Path) -> Self
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        Self::begin(args, folder).0
    }

    fn begin<I, S>(args: I, folder: &Path) -> (Self, Receiver<String>)
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut command = Command::new(lamppost());
        // Killed, it cannot remove its temporary files; those of the test's own folder go with it.
        command
            .args(args)
            .current_dir(folder)
            .env("TMPDIR", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        undisturbed(&mut command);
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        // From here on it is killed whatever happens.
        let mut server = Self { child, address: String::new(), greeting: Vec::new() };
        let (send, lines) = channel();
        pass_lines(server.child.stdout.take(), send.clone());
        pass_lines(server.child.stderr.take(), send);
        (server, lines)
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads to the end, so that the server never waits on a full pipe, also when nobody listens any more.
fn pass_lines(stream: Option<impl Read + Send + 'static>, send: std::sync::mpsc::Sender<String>) {
    let stream = stream.expect("the stream was piped");
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ = send.send(line);
        }
    });
}

fn address_in(line: &str) -> Option<String> {
    let at = line.find("http://127.0.0.1:")?;
    let rest = &line[at..];
    let end = rest.find(|c: char| c.is_whitespace() || c == '\u{1b}' || c == '"').unwrap_or(rest.len());
    Some(format!("{}/", rest[..end].trim_end_matches(['/', '.', ','])))
}
