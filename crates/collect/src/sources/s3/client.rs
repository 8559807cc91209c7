//! Requests to object storage with their signature, answers, and what a refusal means and what to do about it.
//!
//! In: what is wanted. Out: pages of keys, bodies, or a [`Fault`]. Connections are used again. Every request may be made twice.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, ETAG, HeaderMap};
use hyper::{Method, StatusCode};
use rusty_s3::actions::ListObjectsV2;
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use tokio_rustls::TlsConnector;

use super::{Addressing, Settings};
use wire::http::{self, Connection};

/// How long a signature is good for: as far as clocks may differ on most servers is a quarter of an hour.
const SIGNED_FOR: Duration = Duration::from_mins(15);

/// Bytes of a page of keys at most: 1,000 keys of 1,024 bytes, each byte written as three, and what stands around them.
const PAGE_BYTES_MAX: usize = 8 << 20;

/// Bytes of any other answer that is read as a whole.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Characters of a server's own words that are passed on.
const WORDS_CHARS_MAX: usize = 200;

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The object is gone, or another one stands in its place.
    Gone,
    /// This object cannot be dealt with; others may.
    Object(String),
    /// Nothing can be done for now.
    Source(String),
}

/// What a list says of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) key: String,
    /// Its `ETag` without quotation marks; when it was changed, from servers that give none.
    pub(super) tag: String,
    pub(super) size: u64,
}

/// A page of a list.
pub(super) struct Page {
    pub(super) objects: Vec<Object>,
    /// How to ask for the next one.
    pub(super) next: Option<String>,
}

/// An object's bytes, on their way.
pub(super) struct Body {
    /// Its `ETag`, as servers give it.
    pub(super) tag: Option<String>,
    /// Its bytes, where they are announced.
    pub(super) size: Option<u64>,
    reply: Reply,
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Incoming,
    connection: Connection,
}

/// What is wanted.
enum Ask<'a> {
    List(Option<&'a str>),
    Get(&'a str),
    Head(&'a str),
    /// From a key, if it still has this tag, to another one.
    Copy(&'a str, &'a str, &'a str),
    Delete(&'a str),
}

impl Ask<'_> {
    /// What has to be allowed for it.
    fn permission(&self) -> &'static str {
        match self {
            Ask::List(_) => "s3:ListBucket",
            Ask::Get(_) | Ask::Head(_) => "s3:GetObject",
            Ask::Copy(..) => "s3:PutObject",
            Ask::Delete(_) => "s3:DeleteObject",
        }
    }
}

struct Signed {
    method: Method,
    url: String,
    fields: Vec<(&'static str, String)>,
}

/// A bucket at a server.
pub(super) struct Client {
    settings: Settings,
    bucket: Bucket,
    connector: TlsConnector,
    /// Connections whose answers were read to their end.
    idle: Mutex<Vec<Connection>>,
}

/// The bucket of these settings.
pub(super) fn bucket(settings: &Settings) -> Result<Bucket, String> {
    let amazon = || format!("https://s3.{}.amazonaws.com", settings.region);
    let endpoint = settings.endpoint.clone().unwrap_or_else(amazon);
    let wrong = "a URL such as \"https://s3.example.com\"";
    let url = endpoint.parse().map_err(|error| format!("`endpoint` \"{endpoint}\": {error}; it must be {wrong}"))?;
    let style = match settings.addressing {
        Addressing::Path => UrlStyle::Path,
        Addressing::Host => UrlStyle::VirtualHost,
    };
    Bucket::new(url, style, settings.bucket.clone(), settings.region.clone()).map_err(|error| {
        format!("`endpoint` \"{endpoint}\" with `bucket` \"{}\": {error}; it must be {wrong}", settings.bucket)
    })
}

/// An `ETag` without what is around it.
fn bare(tag: &str) -> String {
    tag.trim_start_matches("W/").trim_matches('"').to_owned()
}

impl Client {
    pub(super) fn new(settings: &Settings) -> Result<Self, String> {
        let bucket = bucket(settings)?;
        let connector = wire::connector(settings.ca.as_deref())?;
        let client = Self { settings: settings.clone(), bucket, connector, idle: Mutex::default() };
        client.credentials()?;
        Ok(client)
    }

    /// Where the bucket is.
    pub(super) fn place(&self) -> &str {
        self.bucket.base_url().as_str()
    }

    /// A page of the keys that begin with the prefix.
    pub(super) async fn list(&self, from: Option<&str>) -> Result<Page, Fault> {
        let ask = Ask::List(from);
        let reply = self.ask(&ask).await?;
        if reply.status != StatusCode::OK {
            return Err(self.refused(&ask, reply).await);
        }
        let body = self.whole(reply, PAGE_BYTES_MAX).await?;
        let strange = |why: &str| {
            let place = self.place();
            Fault::Source(format!("what {place} answers is no list of objects ({why}): is `endpoint` an S3 server?"))
        };
        let text = str::from_utf8(&body).map_err(|error| strange(&error.to_string()))?;
        let listed = ListObjectsV2::parse_response(&usual_namespace(text)).map_err(|e| strange(&e.to_string()))?;
        let objects = listed.contents.into_iter().map(|object| Object {
            key: object.key,
            tag: object.etag.map_or_else(|| object.last_modified.unwrap_or_default(), |tag| bare(&tag)),
            size: object.size.unwrap_or(0),
        });
        Ok(Page { objects: objects.collect(), next: listed.next_continuation_token })
    }

    /// An object's bytes.
    pub(super) async fn get(&self, key: &str) -> Result<Body, Fault> {
        let ask = Ask::Get(key);
        let reply = self.ask(&ask).await?;
        if reply.status != StatusCode::OK {
            return Err(self.refused(&ask, reply).await);
        }
        let size = text(&reply.headers, CONTENT_LENGTH.as_str()).and_then(|size| size.parse().ok());
        Ok(Body { tag: text(&reply.headers, ETAG.as_str()).map(bare), size, reply })
    }

    /// The next piece of an object; nothing at its end.
    pub(super) async fn piece(&self, body: &mut Body) -> Result<Option<hyper::body::Bytes>, Fault> {
        http::piece(&mut body.reply.body).await.map_err(Fault::Source)
    }

    /// An object was read to its end.
    pub(super) fn read(&self, body: Body) {
        self.idle().push(body.reply.connection);
    }

    /// The tag of an object; nothing if there is none.
    pub(super) async fn tag(&self, key: &str) -> Result<Option<String>, Fault> {
        let ask = Ask::Head(key);
        let reply = self.ask(&ask).await?;
        match reply.status {
            StatusCode::OK => {
                let tag = text(&reply.headers, ETAG.as_str()).map(bare).unwrap_or_default();
                self.whole(reply, ANSWER_BYTES_MAX).await?;
                Ok(Some(tag))
            }
            StatusCode::NOT_FOUND => {
                self.whole(reply, ANSWER_BYTES_MAX).await?;
                Ok(None)
            }
            _ => Err(self.refused(&ask, reply).await),
        }
    }

    /// Copies an object that still has this tag to another key.
    pub(super) async fn copy(&self, key: &str, tag: &str, to: &str) -> Result<(), Fault> {
        let ask = Ask::Copy(key, tag, to);
        let reply = self.ask(&ask).await?;
        if reply.status != StatusCode::OK {
            return Err(self.refused(&ask, reply).await);
        }
        // A copy may fail after its 200 was sent: then the body says so.
        let body = self.whole(reply, ANSWER_BYTES_MAX).await?;
        let body = String::from_utf8_lossy(&body);
        if body.contains("<CopyObjectResult") || body.contains(":CopyObjectResult") {
            return Ok(());
        }
        Err(Fault::Object(format!("copying it to {to} failed: {}", words(&body))))
    }

    /// Deletes an object.
    pub(super) async fn delete(&self, key: &str) -> Result<(), Fault> {
        let ask = Ask::Delete(key);
        let reply = self.ask(&ask).await?;
        if reply.status.is_success() || reply.status == StatusCode::NOT_FOUND {
            return self.whole(reply, ANSWER_BYTES_MAX).await.map(drop);
        }
        Err(self.refused(&ask, reply).await)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        // Every change is complete before anything can panic.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys, read anew, so that they can be changed while the program runs.
    fn credentials(&self) -> Result<Credentials, String> {
        let secret = self.settings.secret_key.as_ref().ok_or("it needs `secret_key`")?.open()?;
        let key = self.settings.access_key.as_str();
        Ok(match &self.settings.session_token {
            Some(token) => Credentials::new_with_token(key, secret.expose(), token.open()?.expose()),
            None => Credentials::new(key, secret.expose()),
        })
    }

    fn signed(&self, ask: &Ask<'_>) -> Result<Signed, String> {
        let credentials = &self.credentials()?;
        let (known, bucket) = (Some(credentials), &self.bucket);
        let mut fields = Vec::new();
        let (method, url) = match *ask {
            Ask::List(from) => {
                let mut action = bucket.list_objects_v2(known);
                if !self.settings.prefix.is_empty() {
                    action.with_prefix(self.settings.prefix.as_str());
                }
                if let Some(from) = from {
                    action.with_continuation_token(from);
                }
                (Method::GET, action.sign(SIGNED_FOR))
            }
            Ask::Get(key) => (Method::GET, bucket.get_object(known, key).sign(SIGNED_FOR)),
            Ask::Head(key) => (Method::HEAD, bucket.head_object(known, key).sign(SIGNED_FOR)),
            Ask::Delete(key) => (Method::DELETE, bucket.delete_object(known, key).sign(SIGNED_FOR)),
            Ask::Copy(key, tag, to) => {
                // A PUT that names a source is a copy. The source is written as a path, encoded as in a URL.
                let (whole, base) = (bucket.object_url(key), bucket.base_url());
                let path = whole.path().strip_prefix(base.path()).unwrap_or_default();
                fields.push(("x-amz-copy-source", format!("/{}/{path}", self.settings.bucket)));
                fields.push(("x-amz-copy-source-if-match", format!("\"{tag}\"")));
                let mut action = bucket.put_object(known, to);
                for (name, value) in &fields {
                    action.headers_mut().insert(*name, value.clone());
                }
                (Method::PUT, action.sign(SIGNED_FOR))
            }
        };
        Ok(Signed { method, url: url.into(), fields })
    }

    async fn ask(&self, ask: &Ask<'_>) -> Result<Reply, Fault> {
        let signed = self.signed(ask).map_err(Fault::Source)?;
        let fields: Vec<(&str, &str)> = signed.fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let used = self.idle().pop();
        let first = match used {
            // A server may hang up on a connection that waits: then another one is made.
            Some(mut connection) => {
                let answer = connection.send(signed.method.clone(), &signed.url, &fields, Vec::new()).await;
                answer.ok().map(|answer| (connection, answer))
            }
            None => None,
        };
        let (connection, answer) = if let Some(first) = first {
            first
        } else {
            let opened = Connection::open(&self.connector, &signed.url).await;
            let mut connection = opened.map_err(|error| self.unreachable(&error))?;
            let answer = connection.send(signed.method, &signed.url, &fields, Vec::new()).await;
            (connection, answer.map_err(Fault::Source)?)
        };
        let (head, body) = answer.into_parts();
        Ok(Reply { status: head.status, headers: head.headers, body, connection })
    }

    fn unreachable(&self, error: &str) -> Fault {
        let advice = match self.settings.addressing {
            Addressing::Host => "; if the server has no host name for each bucket, set `addressing = \"path\"`",
            Addressing::Path => "",
        };
        Fault::Source(format!("{error}: check `endpoint`{advice}"))
    }

    async fn whole(&self, reply: Reply, bytes_max: usize) -> Result<hyper::body::Bytes, Fault> {
        let body = http::whole(reply.body, bytes_max).await.map_err(Fault::Source)?;
        self.idle().push(reply.connection);
        Ok(body)
    }

    /// What a refusal means.
    async fn refused(&self, ask: &Ask<'_>, reply: Reply) -> Fault {
        let status = reply.status;
        let region = text(&reply.headers, "x-amz-bucket-region").map(str::to_owned);
        let body = self.whole(reply, ANSWER_BYTES_MAX).await.unwrap_or_default();
        let body = String::from_utf8_lossy(&body);
        let code = between(&body, "Code").unwrap_or_default();
        let region = region.or_else(|| between(&body, "Region").map(str::to_owned));
        if !matches!(ask, Ask::List(_)) {
            let gone = [StatusCode::NOT_FOUND, StatusCode::PRECONDITION_FAILED].contains(&status);
            if gone && code != "NoSuchBucket" {
                return Fault::Gone;
            }
        }
        let says = format!("{} {code}", status.as_u16());
        let (says, settings) = (says.trim_end(), &self.settings);
        let late = ["expired", "not yet valid", "not valid yet"].iter().any(|late| body.contains(late));
        let what = match code {
            "SignatureDoesNotMatch" => format!(
                "the server does not recognise the signature ({says}): `secret_key` is not the one of `access_key` {}, or `region` is another",
                settings.access_key
            ),
            "InvalidAccessKeyId" => format!("the server does not know `access_key` {} ({says})", settings.access_key),
            "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired" => {
                format!("the server does not take `session_token` ({says}): get new temporary keys")
            }
            "RequestTimeTooSkewed" => format!("the clocks differ ({says}): set this machine's, by NTP for instance"),
            "AccessDenied" if late => format!("the clocks differ ({says}): set this machine's, by NTP for instance"),
            "NoSuchBucket" => {
                format!("the server has no bucket \"{}\" ({says}): check `bucket` and `addressing`", settings.bucket)
            }
            "InvalidObjectState" => {
                return Fault::Object(format!("it is in an archive ({says}): have it restored there, or delete it"));
            }
            "AuthorizationHeaderMalformed"
            | "AuthorizationQueryParametersError"
            | "IllegalLocationConstraintException" => elsewhere(says, region.as_deref()),
            _ if status.is_redirection() => elsewhere(says, region.as_deref()),
            "SlowDown" => format!("the server asks for fewer requests ({says}); it is asked again later"),
            _ if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                format!("the server is in trouble ({says}); it is asked again later")
            }
            _ if status == StatusCode::FORBIDDEN => {
                let what = format!("the server does not allow it ({says}): grant {} to `access_key`", ask.permission());
                return if matches!(ask, Ask::List(_)) { Fault::Source(what) } else { Fault::Object(what) };
            }
            _ => format!("the server refuses ({says}): {}", words(between(&body, "Message").unwrap_or(&body))),
        };
        Fault::Source(what)
    }
}

/// The bucket is elsewhere.
fn elsewhere(says: &str, region: Option<&str>) -> String {
    match region {
        Some(region) => format!("the bucket is in another region ({says}): set `region = \"{}\"`", words(region)),
        None => format!("the bucket is elsewhere ({says}): check `region` and `endpoint`"),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The text of the first element of this name: errors are four elements without attributes.
fn between<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once("</")?.0.trim())
}

/// A server's own words, as far as they are passed on.
fn words(text: &str) -> String {
    text.chars().take(WORDS_CHARS_MAX).collect()
}

/// The list with the namespace of Amazon's: other servers leave it out, or write another one.
fn usual_namespace(list: &str) -> String {
    let Some((before, rest)) = list.split_once("<ListBucketResult") else { return list.to_owned() };
    let Some((_, after)) = rest.split_once('>') else { return list.to_owned() };
    format!("{before}<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_all_namespaces_are_read() {
        let inner = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken><Contents><Key>a%2Fb+c\
                     </Key><ETag>&quot;1&quot;</ETag><Size>3</Size></Contents><EncodingType>url</EncodingType>";
        for root in [
            "<ListBucketResult>",
            "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">",
            "<ListBucketResult xmlns='http://doc.s3.amazonaws.com/2006-03-01'>",
        ] {
            let list = format!("<?xml version=\"1.0\"?>\n{root}{inner}</ListBucketResult>");
            let read = ListObjectsV2::parse_response(&usual_namespace(&list)).unwrap();
            assert_eq!((read.contents[0].key.as_str(), read.next_continuation_token.as_deref()), ("a/b c", Some("t")));
            assert_eq!(bare(read.contents[0].etag.as_deref().unwrap()), "1");
        }
    }

    #[test]
    fn buckets_are_where_they_are_said_to_be() {
        let settings = |endpoint: Option<&str>, addressing| Settings {
            endpoint: endpoint.map(str::to_owned),
            bucket: "reports".to_owned(),
            region: "eu-west-1".to_owned(),
            addressing,
            ..Settings::default()
        };
        let cases = [
            (None, Addressing::Path, "https://s3.eu-west-1.amazonaws.com/reports/"),
            (None, Addressing::Host, "https://reports.s3.eu-west-1.amazonaws.com/"),
            (Some("https://s3.example:9000/base"), Addressing::Path, "https://s3.example:9000/base/reports/"),
        ];
        for (endpoint, addressing, expected) in cases {
            assert_eq!(bucket(&settings(endpoint, addressing)).unwrap().base_url().as_str(), expected);
        }
        for wrong in ["s3.example", "ftp://s3.example", "https://"] {
            let error = bucket(&settings(Some(wrong), Addressing::Path)).unwrap_err();
            assert!(error.contains("it must be a URL such as"), "{error}");
        }
        assert!(bucket(&settings(Some("http://127.0.0.1:9000"), Addressing::Host)).is_err());
    }
}
