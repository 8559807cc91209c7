//! The model company over some days, taken in, with the portal open over it.

use std::path::Path;
use std::process::Command;

use crate::{Server, finish, lamppost};

/// A ledger of the model company in a folder, and the portal over it.
#[must_use]
pub fn company(folder: &Path, days: u16) -> Server {
    let run = |args: &[&str]| {
        let mut command = Command::new(lamppost());
        command.current_dir(folder).args(args);
        let _ = finish(command).expect(0);
    };
    run(&["scenario", "generate", "--out", "company", "--days", &days.to_string(), "--scale", "0.05"]);
    run(&["--data", "ledger", "import", "company/reports"]);
    Server::start(["--data", "ledger", "serve", "--listen", "127.0.0.1:0"], folder)
}
