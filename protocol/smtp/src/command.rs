//! One command line and what it asks for (RFC 5321 §4.1). Strict where a path is delimited, forgiving about spaces.
//!
//! In: a line without its CR LF. Out: a [`Command`], or the reply that refuses it.

/// What a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    /// HELO: the name.
    Helo(&'a str),
    /// EHLO: the name.
    Ehlo(&'a str),
    /// LHLO: the name.
    Lhlo(&'a str),
    StartTls,
    /// MAIL FROM: what stands between the brackets, and the size if it was said.
    Mail(&'a str, Option<u64>),
    /// RCPT TO: the mailbox, without a source route.
    Rcpt(&'a str),
    Data,
    Rset,
    Noop,
    Quit,
    Vrfy,
    Help,
}

/// A reply that refuses a line.
pub(crate) type Refusal = &'static str;

const SYNTAX: Refusal = "501 5.5.4 Syntax error in the parameters\r\n";
const UNKNOWN: Refusal = "500 5.5.2 Command unknown\r\n";

/// RFC 5321 §4.5.3.1.3: "The maximum total length of a reverse-path or forward-path is 256 octets". UTF-8 gets some room.
const PATH_BYTES_MAX: usize = 512;
/// RFC 5321 §4.5.3.1.2: a domain has at most 255 octets.
const NAME_BYTES_MAX: usize = 255;

pub(crate) fn parse(line: &[u8]) -> Result<Command<'_>, Refusal> {
    // A control character has no place in a command, and must not get into logs or origins from there.
    let line = std::str::from_utf8(line).ok().filter(|line| !line.chars().any(char::is_control)).ok_or(UNKNOWN)?;
    let line = line.trim_end_matches(' ');
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim_start_matches(' ');
    let bare = |command| if rest.is_empty() { Ok(command) } else { Err(SYNTAX) };
    match verb.to_ascii_uppercase().as_str() {
        "HELO" => name(rest).map(Command::Helo),
        "EHLO" => name(rest).map(Command::Ehlo),
        "LHLO" => name(rest).map(Command::Lhlo),
        "STARTTLS" => bare(Command::StartTls),
        "MAIL" => mail(rest),
        "RCPT" => rcpt(rest),
        "DATA" => bare(Command::Data),
        "RSET" => bare(Command::Rset),
        "QUIT" => bare(Command::Quit),
        "NOOP" => Ok(Command::Noop),
        "VRFY" => Ok(Command::Vrfy),
        "HELP" => Ok(Command::Help),
        _ => Err(UNKNOWN),
    }
}

/// The name a client gives itself: taken as it is, for the record; what it is worth is decided by whoever evaluates the mail.
fn name(rest: &str) -> Result<&str, Refusal> {
    let name = rest.split(' ').next().unwrap_or_default();
    if name.is_empty() || name.len() > NAME_BYTES_MAX { Err(SYNTAX) } else { Ok(name) }
}

fn mail(rest: &str) -> Result<Command<'_>, Refusal> {
    let (path, parameters) = path(rest, "FROM:")?;
    let (mut size, mut utf8) = (None, false);
    for parameter in parameters.split(' ').filter(|parameter| !parameter.is_empty()) {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match (key.to_ascii_uppercase().as_str(), value.to_ascii_uppercase().as_str()) {
            // RFC 1870 §5: "size-value ::= 1*20DIGIT".
            ("SIZE", digits) if digits.len() <= 20 => size = Some(digits.parse().map_err(|_| SYNTAX)?),
            ("BODY", "7BIT" | "8BITMIME") => {}
            ("SMTPUTF8", "") => utf8 = true,
            _ => return Err("555 5.5.4 Parameter unknown\r\n"),
        }
    }
    // RFC 6531 §3.5: without the parameter an address beyond ASCII is refused with 553.
    if !path.is_ascii() && !utf8 {
        return Err("553 5.6.7 Addresses beyond ASCII need SMTPUTF8\r\n");
    }
    Ok(Command::Mail(path, size))
}

fn rcpt(rest: &str) -> Result<Command<'_>, Refusal> {
    let (path, parameters) = path(rest, "TO:")?;
    if !parameters.trim().is_empty() {
        return Err("555 5.5.4 Parameter unknown\r\n");
    }
    // RFC 5321 §4.1.1.3: "if the source route is present it SHOULD be ignored".
    let mailbox = match path.strip_prefix('@').and_then(|route| route.split_once(':')) {
        Some((_, mailbox)) => mailbox,
        None => path,
    };
    if mailbox.is_empty() { Err(SYNTAX) } else { Ok(Command::Rcpt(mailbox)) }
}

/// What stands between the brackets behind a keyword, and what follows them.
fn path<'a>(rest: &'a str, keyword: &str) -> Result<(&'a str, &'a str), Refusal> {
    let (start, rest) = rest.split_at_checked(keyword.len()).ok_or(SYNTAX)?;
    if !start.eq_ignore_ascii_case(keyword) {
        return Err(SYNTAX);
    }
    let inside = rest.trim_start_matches(' ').strip_prefix('<').ok_or(SYNTAX)?;
    // Brackets may stand inside of a quoted local part, and there only.
    let (mut quoted, mut escaped) = (false, false);
    let mut end = None;
    for (at, c) in inside.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => {
                end = Some(at);
                break;
            }
            '<' | ' ' if !quoted => return Err(SYNTAX),
            _ => {}
        }
    }
    let end = end.filter(|end| *end <= PATH_BYTES_MAX).ok_or(SYNTAX)?;
    let parameters = &inside[end + 1..];
    if parameters.is_empty() || parameters.starts_with(' ') { Ok((&inside[..end], parameters)) } else { Err(SYNTAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_what_they_ask_for() {
        let cases: [(&str, &[u8], Result<Command<'_>, Refusal>); 24] = [
            ("as usual", b"EHLO mx.example", Ok(Command::Ehlo("mx.example"))),
            ("verbs have no case", b"eHlO mx.example", Ok(Command::Ehlo("mx.example"))),
            ("a name is needed", b"HELO", Err(SYNTAX)),
            ("a line's end may have spaces", b"QUIT  ", Ok(Command::Quit)),
            ("DATA takes nothing", b"DATA now", Err(SYNTAX)),
            ("from nobody", b"MAIL FROM:<>", Ok(Command::Mail("", None))),
            ("with a size", b"MAIL FROM:<a@b.example> SIZE=12", Ok(Command::Mail("a@b.example", Some(12)))),
            ("a size that is none", b"MAIL FROM:<a@b.example> SIZE=-1", Err(SYNTAX)),
            ("a size beyond 64 bits", b"MAIL FROM:<> SIZE=99999999999999999999", Err(SYNTAX)),
            ("a space that many send", b"MAIL FROM: <a@b.example>", Ok(Command::Mail("a@b.example", None))),
            ("no brackets", b"MAIL FROM:a@b.example", Err(SYNTAX)),
            ("two openings", b"MAIL FROM:<<a@b.example>", Err(SYNTAX)),
            ("no end", b"MAIL FROM:<a@b.example", Err(SYNTAX)),
            ("something stuck to it", b"MAIL FROM:<a@b.example>SIZE=1", Err(SYNTAX)),
            ("a bracket in quotes", b"RCPT TO:<\"a>\"@b.example>", Ok(Command::Rcpt("\"a>\"@b.example"))),
            ("a quote in quotes", b"RCPT TO:<\"a\\\">\"@b.example>", Ok(Command::Rcpt("\"a\\\">\"@b.example"))),
            ("a source route", b"RCPT TO:<@c.example,@d.example:a@b.example>", Ok(Command::Rcpt("a@b.example"))),
            ("to nobody", b"RCPT TO:<>", Err(SYNTAX)),
            ("what was not offered", b"RCPT TO:<a@b.example> NOTIFY=NEVER", Err("555 5.5.4 Parameter unknown\r\n")),
            ("NUL", b"MAIL FROM:<a\0@b.example>", Err(UNKNOWN)),
            ("CR inside", b"MAIL FROM:<a\r@b.example>", Err(UNKNOWN)),
            ("no UTF-8", b"MAIL FROM:<\xff@b.example>", Err(UNKNOWN)),
            ("announced UTF-8", "MAIL FROM:<ä@b.example> SMTPUTF8".as_bytes(), Ok(Command::Mail("ä@b.example", None))),
            ("a browser", b"GET / HTTP/1.1", Err(UNKNOWN)),
        ];
        for (why, line, expected) in cases {
            assert_eq!(parse(line), expected, "{why}");
        }
        assert!(parse("MAIL FROM:<ä@b.example>".as_bytes()).is_err(), "UTF-8 that was not announced");
        assert!(parse(format!("MAIL FROM:<{}@b.example>", "a".repeat(600)).as_bytes()).is_err(), "too long a path");
    }
}
