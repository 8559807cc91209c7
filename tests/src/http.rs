//! One request over plain HTTP/1.1 on loopback: enough to look at status, header fields and body exactly as they were sent.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};

use crate::DEADLINE;

/// What a server answered.
#[derive(Debug)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Field names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body, chunks put together.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a field, empty if it is absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.text()))
    }
}

/// GETs `path` (with its leading `/`) from a server's address as [`crate::Server`] gives it.
///
/// # Panics
/// When the server cannot be reached or does not speak HTTP.
#[must_use]
pub fn get(address: &str, path: &str) -> Response {
    request(address, path, &[])
}

/// [`get`] with further header fields.
///
/// # Panics
/// As [`get`] does.
#[must_use]
pub fn request(address: &str, path: &str, fields: &[(&str, &str)]) -> Response {
    send("GET", address, path, fields, b"")
}

/// POSTs a body.
///
/// # Panics
/// As [`get`] does.
#[must_use]
pub fn post(address: &str, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Response {
    let length = body.len().to_string();
    send("POST", address, path, &[fields, &[("Content-Length", &length)]].concat(), body)
}

fn send(method: &str, address: &str, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Response {
    let host = address.trim_start_matches("http://").trim_end_matches('/');
    let at = host.to_socket_addrs().ok().and_then(|mut all| all.next()).expect("an address of loopback");
    let mut stream = TcpStream::connect_timeout(&at, DEADLINE).expect("the server accepts");
    stream.set_read_timeout(Some(DEADLINE)).expect("a deadline can be set");
    write!(stream, "{method} {path} HTTP/1.1\r\nConnection: close\r\n").expect("the server reads");
    let host = fields.iter().all(|(name, _)| !name.eq_ignore_ascii_case("host")).then_some(("Host", host));
    for (name, value) in host.iter().chain(fields) {
        write!(stream, "{name}: {value}\r\n").expect("the server reads");
    }
    stream.write_all(b"\r\n").and_then(|()| stream.write_all(body)).expect("the server reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the server answers in time");
    parse(&answer)
}

fn parse(answer: &[u8]) -> Response {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head and an empty line");
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status line");
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let body = answer[end + 4..].to_vec();
    let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    Response { status, headers, body: if chunked { join_chunks(&body) } else { body } }
}

/// RFC 9112 §7.1: each chunk is its size in hexadecimal, CRLF, the bytes, CRLF; a chunk of size zero ends them.
fn join_chunks(mut body: &[u8]) -> Vec<u8> {
    let mut joined = Vec::new();
    loop {
        let end = body.windows(2).position(|two| two == b"\r\n").expect("the size of a chunk");
        let size = String::from_utf8_lossy(&body[..end]);
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16).expect("a number");
        if size == 0 {
            return joined;
        }
        joined.extend_from_slice(&body[end + 2..end + 2 + size]);
        body = &body[end + 4 + size..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_put_together() {
        let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A:  b \r\n\r\n4\r\nWiki\r\n5;x=y\r\npedia\r\n0\r\n\r\n";
        let response = parse(answer);
        assert_eq!((response.status, response.text().as_str(), response.header("x-a")), (200, "Wikipedia", "b"));
    }
}
