//! What an Authentication-Results field says, and how it is written.
//!
//! In: values, some of them strangers' (`d=`, MAIL FROM, HELO, texts from the DNS). Out: a field in which each value is a token, an
//! address or quoted, or is left out: control characters and overlong values cannot be written safely. What is written is read
//! back as the same by [`crate::parse()`]. RFC 8601 §2.2; RFC 2045 §5.1 for tokens.

use crate::ResultWord;

/// The name of the field.
pub const FIELD_NAME: &str = "Authentication-Results";

/// RFC 5321 §4.5.3.1.3 gives a path 256 octets, RFC 1035 a name 255; nothing that is written here is longer.
const VALUE_BYTES_MAX: usize = 512;

/// RFC 5322 §2.1.1: lines "SHOULD be no more than 78 characters".
const LINE_BYTES: usize = 78;

/// What a field says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Results {
    /// Who says so. Empty in a stranger's field that names nobody.
    pub authserv_id: String,
    /// The version of the field's syntax, if it was given; 1 is the only one.
    pub version: Option<u32>,
    /// What came of each method. None: `none`.
    pub methods: Vec<Method>,
}

/// What came of one method.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Method {
    /// `spf`, `dkim`, `dmarc`, `arc`, `iprev`, `auth`, … in lower case.
    pub name: String,
    /// The method's version, if it was given.
    pub version: Option<u32>,
    /// The result in lower case; strangers have words of their own.
    pub result: String,
    /// The first comment after the result.
    pub comment: Option<String>,
    /// `reason=`.
    pub reason: Option<String>,
    /// What the result is about.
    pub properties: Vec<Property>,
}

/// One thing that a result is about, such as `smtp.mailfrom=a@example.com`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Property {
    /// `smtp`, `header`, `body` or `policy`; empty in strangers' fields that leave it out.
    pub kind: String,
    /// `mailfrom`, `helo`, `d`, `s`, `i`, `b`, `a`, `from`, …
    pub name: String,
    /// The value, quotes undone.
    pub value: String,
}

impl Results {
    /// Nothing yet, said by us.
    #[must_use]
    pub fn by(authserv_id: impl Into<String>) -> Self {
        Self { authserv_id: authserv_id.into(), ..Self::default() }
    }

    /// Adds what came of a method.
    #[must_use]
    pub fn with(mut self, method: Method) -> Self {
        self.methods.push(method);
        self
    }

    /// The whole field, folded, with its final CRLF. It is a trace field and goes on top of the message, above every Received: what
    /// stands below them may be anybody's.
    #[must_use]
    pub fn field(&self) -> String {
        format!("{FIELD_NAME}: {}\r\n", self.value(FIELD_NAME.len() + 2))
    }

    /// The value alone, folded, to be written after `taken` characters of its first line.
    #[must_use]
    pub fn value(&self, taken: usize) -> String {
        let mut out = Folded { text: String::new(), column: taken };
        out.glued(&word(&self.authserv_id));
        if let Some(version) = self.version {
            out.item(&version.to_string());
        }
        let mut any = false;
        for method in self.methods.iter().filter(|method| is_keyword(&method.name) && is_keyword(&method.result)) {
            out.glued(";");
            out.line();
            out.method(method);
            any = true;
        }
        if !any {
            out.glued("; none");
        }
        out.text
    }
}

impl Method {
    /// A method's result.
    #[must_use]
    pub fn new(name: &str, result: ResultWord) -> Self {
        Self { name: name.to_owned(), result: result.as_str().to_owned(), ..Self::default() }
    }

    /// With words for people.
    #[must_use]
    pub fn comment(mut self, text: impl Into<String>) -> Self {
        self.comment = Some(text.into());
        self
    }

    /// With the reason for the result.
    #[must_use]
    pub fn reason(mut self, text: impl Into<String>) -> Self {
        self.reason = Some(text.into());
        self
    }

    /// With something that the result is about.
    #[must_use]
    pub fn property(mut self, kind: &str, name: &str, value: impl Into<String>) -> Self {
        self.properties.push(Property { kind: kind.to_owned(), name: name.to_owned(), value: value.into() });
        self
    }

    /// The result, if it is one of the registered words.
    #[must_use]
    pub fn word(&self) -> Option<ResultWord> {
        ResultWord::parse(&self.result)
    }

    /// The first value of a property.
    #[must_use]
    pub fn value(&self, kind: &str, name: &str) -> Option<&str> {
        let property = self.properties.iter().find(|property| property.kind == kind && property.name == name)?;
        Some(&property.value)
    }
}

/// A value on its way out, broken into lines between its items.
struct Folded {
    text: String,
    column: usize,
}

impl Folded {
    fn glued(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.len();
    }

    fn line(&mut self) {
        self.text.push_str("\r\n\t");
        // A tab is shown as eight columns.
        self.column = 8;
    }

    fn item(&mut self, text: &str) {
        if self.column + 1 + text.len() > LINE_BYTES {
            self.line();
            self.glued(text);
        } else {
            self.glued(" ");
            self.glued(text);
        }
    }

    fn method(&mut self, method: &Method) {
        let version = method.version.map(|version| format!("/{version}")).unwrap_or_default();
        self.glued(&format!("{}{version}={}", method.name, method.result));
        if let Some(comment) = method.comment.as_deref().filter(|text| is_writable(text)) {
            self.item(&commented(comment));
        }
        if let Some(reason) = method.reason.as_deref().filter(|text| is_writable(text)) {
            self.item(&format!("reason={}", quoted(reason)));
        }
        for property in &method.properties {
            let named = is_keyword(&property.kind) && is_keyword(&property.name);
            if named && is_writable(&property.value) {
                self.item(&format!("{}.{}={}", property.kind, property.name, word(&property.value)));
            }
        }
    }
}

/// Quotes protect from everything but the end of the line: what has a control character in it is not written at all.
fn is_writable(value: &str) -> bool {
    value.len() <= VALUE_BYTES_MAX && !value.chars().any(char::is_control)
}

/// RFC 8601 §2.2: methods, results and properties are Keywords: letters, digits and hyphens, as in RFC 5321 §4.1.2; some
/// have an underscore.
pub(crate) fn is_keyword(text: &str) -> bool {
    let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// RFC 2045 §5.1: a token has no white space, no control characters and none of `()<>@,;:\"/[]?=`.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&b))
}

/// A value as a token, an address, or quoted. What cannot be written becomes an empty string; only the caller's own identifier
/// comes here unchecked.
fn word(value: &str) -> String {
    // RFC 8601 §2.2: "pvalue = [CFWS] ( ( value / [ [ local-part ] "@" ] domain-name ) ) [CFWS]".
    let address = |(local, domain): (&str, &str)| (local.is_empty() || is_token(local)) && is_token(domain);
    if is_token(value) || value.split_once('@').is_some_and(address) {
        value.to_owned()
    } else if is_writable(value) {
        quoted(value)
    } else {
        "\"\"".to_owned()
    }
}

fn quoted(text: &str) -> String {
    escaped(text, '"', '"')
}

fn commented(text: &str) -> String {
    escaped(text, '(', ')')
}

fn escaped(text: &str, open: char, close: char) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(open);
    for c in text.chars() {
        if c == '\\' || c == open || c == close {
            out.push('\\');
        }
        out.push(c);
    }
    out.push(close);
    out
}
