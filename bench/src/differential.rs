//! What the differential programs share: random numbers that are the same each time, and a peer written in Python to be asked.
//!
//! In: a script, questions as JSON. Out: its answers. The script reads one JSON value a line and writes one a line; nothing is asked
//! over the network. `PYTHON` names the interpreter that has the peers installed; `cargo xtask differential` sets it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

/// Numbers that look random and are the same each time (xorshift64*).
pub struct Random(u64);

impl Random {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below the bound.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    /// Yes, once in so many times.
    pub fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    /// One of these.
    pub fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// `[CASES [SEED]]` of the command line.
pub fn arguments(cases: usize, seed: u64) -> (usize, u64) {
    let mut args = std::env::args().skip(1);
    let cases = args.next().map_or(cases, |text| text.parse().expect("CASES is a number"));
    let seed = args.next().map_or(seed, |text| text.parse().expect("SEED is a number"));
    (cases, seed)
}

/// A peer under way.
pub struct Oracle {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Oracle {
    /// Starts a script.
    pub fn start(script: &str) -> Result<Self, String> {
        let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
        let mut child = Command::new(&python)
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot run {python}: {error}"))?;
        let (Some(questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("{python} has no pipes"));
        };
        Ok(Self { child, questions, answers: BufReader::new(answers) })
    }

    /// Asks one question.
    pub fn ask(&mut self, question: &Value) -> Result<Value, String> {
        let mut line = question.to_string();
        line.push('\n');
        let mut answer = String::new();
        let asked = self.questions.write_all(line.as_bytes()).and_then(|()| self.answers.read_line(&mut answer));
        match asked {
            Ok(length) if length > 0 => serde_json::from_str(&answer).map_err(|error| format!("{answer}: {error}")),
            _ => {
                let ended = self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
                Err(format!("the peer ended ({ended}): is it installed? `cargo xtask differential` sees to that"))
            }
        }
    }
}
