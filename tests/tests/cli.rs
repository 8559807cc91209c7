//! The command line as a user meets it: help, exit codes, colours, completions, configuration.

use std::process::Command;

use e2e::{Finished, finish, lamppost, run};
use tempfile::TempDir;

/// One report of one row, as small as they come.
const REPORT: &str = r#"<?xml version="1.0"?>
<feedback><report_metadata><org_name>reporter.example</org_name><email>dmarc@reporter.example</email><report_id>1</report_id>
<date_range><begin>1766448000</begin><end>1766534399</end></date_range></report_metadata>
<policy_published><domain>contoso.example</domain><p>none</p></policy_published>
<record><row><source_ip>192.0.2.1</source_ip><count>3</count>
<policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>pass</spf></policy_evaluated></row>
<identifiers><header_from>contoso.example</header_from></identifiers>
<auth_results><spf><domain>contoso.example</domain><result>pass</result></spf></auth_results></record></feedback>
"#;

/// A folder with one report, one file that is none, and a ledger to be.
fn folder() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::write(folder.path().join("report.xml"), REPORT).expect("a temporary folder");
    std::fs::write(folder.path().join("note.txt"), "Dear postmaster, there is no report in this file.\n")
        .expect("a temporary folder");
    folder
}

/// Runs in `folder`, with the ledger `ledger` there.
fn run_in(folder: &TempDir, args: &[&str]) -> Finished {
    let mut command = Command::new(lamppost());
    command.current_dir(folder.path()).env("LAMPPOST_DATA", "ledger").args(args);
    finish(command)
}

/// The commands that the help of `path` lists.
fn commands_of(path: &[String]) -> Vec<String> {
    let help = run(path.iter().map(String::as_str).chain(["--help"])).expect(0).stdout;
    assert!(help.contains("Usage: lamppost"), "{path:?}: {help}");
    let listed = help.split("Commands:\n").nth(1).unwrap_or_default();
    let lines = listed.lines().take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_command_explains_itself() {
    let mut queue = vec![Vec::new()];
    let mut seen = 0;
    while let Some(path) = queue.pop() {
        for name in commands_of(&path) {
            queue.push([path.as_slice(), &[name]].concat());
        }
        seen += 1;
    }
    assert!(seen >= 17, "{seen} commands");
    assert_eq!(run(["--version"]).expect(0).stdout.split_whitespace().next(), Some("lamppost"));
    println!("{seen} commands explain themselves");
}

#[test]
fn exit_codes_say_how_it_went() {
    let folder = folder();
    let cases: &[(i32, &[&str], &str)] = &[
        (0, &["report", "show", "report.xml"], "a report"),
        (0, &["import", "report.xml"], "a report taken in"),
        (0, &["trend"], "an answer"),
        (3, &["report", "show", "report.xml", "note.txt"], "one of two is no report"),
        (3, &["import", "note.txt"], "no report taken in"),
        (3, &["report", "show", "gone.xml"], "no such file, which does not stop the others"),
        (3, &["import", "gone.xml"], "no such file, which does not stop the others"),
        (1, &["--config", "gone.toml", "trend"], "no such configuration"),
        (2, &["import"], "nothing to import"),
        (2, &["explode"], "no such command"),
        (2, &["trend", "--since", "23.12.2025"], "no day"),
        (2, &["trend", "--outcome", "maybe"], "no outcome"),
        (2, &["sources", "--network", "192.0.2.0/33"], "no network"),
        (2, &["sources", "--format", "xml"], "no format"),
    ];
    for (code, args, why) in cases {
        let finished = run_in(&folder, args);
        assert_eq!(finished.code, Some(*code), "{why}: {args:?}\n{}\n{}", finished.stdout, finished.stderr);
        if *code == 1 || *code == 2 {
            assert!(!finished.stderr.trim().is_empty(), "{why}: says nothing");
            assert!(!finished.stderr.contains("panicked"), "{why}: {}", finished.stderr);
        }
    }
}

#[test]
fn messages_name_what_was_wrong() {
    let folder = folder();
    let cases: &[(&[&str], &[&str])] = &[
        (&["trend"], &["ledger", "lamppost import"]),
        (&["report", "show", "gone.xml"], &["gone.xml"]),
        (&["import", "gone.xml"], &["gone.xml"]),
        (&["trend", "--since", "23.12.2025"], &["23.12.2025", "2025-12-23"]),
        (&["trend", "--outcome", "maybe"], &["maybe", "unauthenticated"]),
    ];
    for (args, parts) in cases {
        let finished = run_in(&folder, args);
        for part in *parts {
            // What is said of one input among several belongs to the answer; what ends the program goes to standard error.
            let said = format!("{}{}", finished.stdout, finished.stderr);
            assert!(said.contains(part), "{args:?} lacks {part}: {said}");
        }
    }
}

#[test]
fn a_report_from_standard_input() {
    let mut command = Command::new("sh");
    let folder = folder();
    command
        .current_dir(folder.path())
        .args(["-c", "exec \"$0\" report show --format json - < report.xml"])
        .arg(lamppost());
    let shown = finish(command).expect(0).json();
    assert_eq!(shown["totals"]["messages"], 3);
}

#[test]
fn colour_is_for_terminals_and_only_where_wanted() {
    let folder = folder();
    let piped = run_in(&folder, &["report", "show", "report.xml"]).expect(0).stdout;
    assert!(!piped.contains('\x1b'), "colour in a pipe");
    // `script` gives the command a terminal.
    let on_terminal = |no_color: bool| {
        let mut command = Command::new("script");
        command.current_dir(folder.path()).env("TERM", "xterm-256color");
        command.args(["-q", "-e", "-c", &format!("{} report show report.xml", lamppost().display()), "/dev/null"]);
        if no_color {
            command.env("NO_COLOR", "1");
        }
        finish(command).expect(0).stdout
    };
    assert!(on_terminal(false).contains('\x1b'), "no colour on a terminal");
    assert!(!on_terminal(true).contains('\x1b'), "colour in spite of NO_COLOR");
}

#[test]
fn completions_can_be_loaded() {
    for (shell, marker) in [("bash", "complete -F"), ("zsh", "#compdef lamppost"), ("fish", "complete -c lamppost")] {
        let script = run(["completions", shell]).expect(0).stdout;
        assert!(script.contains(marker) && script.contains("import"), "{shell}");
        if shell == "bash" {
            let folder = TempDir::new().unwrap();
            let file = folder.path().join("lamppost.bash");
            std::fs::write(&file, &script).unwrap();
            let mut command = Command::new("bash");
            command.arg("-n").arg(&file);
            let _ = finish(command).expect(0);
        }
    }
    let _ = run(["completions", "tcl"]).expect(2);
}

#[test]
fn configuration_is_checked_and_obeyed() {
    let folder = folder();
    let write = |text: &str| std::fs::write(folder.path().join("lamppost.toml"), text).unwrap();
    let here = |args: &[&str]| {
        let mut command = Command::new(lamppost());
        command.current_dir(folder.path()).args(args);
        finish(command)
    };
    let _ = here(&["config", "check"]).expect(0);
    write("data = \"elsewhere\"\n");
    assert!(here(&["config", "check"]).expect(0).stdout.contains("elsewhere"));
    let _ = here(&["import", "report.xml"]).expect(0);
    assert!(folder.path().join("elsewhere").is_dir(), "data goes where the file says");
    let _ = here(&["--data", "override", "import", "report.xml"]).expect(0);
    assert!(folder.path().join("override").is_dir(), "--data wins over the file");
    write("data = \"elsewhere\"\ndatta = 1\n");
    let wrong = here(&["config", "check"]).expect(1);
    assert!(wrong.stderr.contains("datta") && wrong.stderr.contains("lamppost.toml"), "{}", wrong.stderr);
    write("[portal]\nlisten = \"0.0.0.0:80\"\n");
    assert!(here(&["config", "check"]).expect(1).stderr.contains("127.0.0.1"), "says what is allowed");
}

#[test]
fn one_ledger_one_writer() {
    let folder = folder();
    let _ = run_in(&folder, &["import", "report.xml"]).expect(0);
    let _server = e2e::Server::start(["serve", "--data", "ledger", "--listen", "127.0.0.1:0"], folder.path());
    // Readers are welcome while the portal runs.
    assert_eq!(run_in(&folder, &["trend", "--format", "json"]).expect(0).json()["totals"]["messages"], 3);
}
