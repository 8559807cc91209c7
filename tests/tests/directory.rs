//! A real directory server with 20,000 people and 2,000 lists: loaded in full over StartTLS and over TLS, refused where it must be, and
//! asked who is behind a local part.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

#[path = "../../crates/enrich/tests/shared/people.rs"]
mod people;

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Instant;

use e2e::{DEADLINE, finish, must_not_skip};
use enrich::directory::{Directory, DirectoryLimits, Entries, LdapError, LdapSettings, LdapTls, load};
use people::{DOMAIN, Dice, LookedFor, company, exact, similar};
use tempfile::TempDir;

const SLAPD: &str = "/usr/sbin/slapd";
const BASE: &str = "dc=contoso,dc=example";
const READER: &str = "cn=reader,dc=contoso,dc=example";

/// A running slapd. Killed, by its own handle, when dropped.
struct Slapd {
    child: Child,
    plain: u16,
    tls: u16,
    authority: Vec<u8>,
}

impl Drop for Slapd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes the configuration and the entries, and starts it.
fn start(folder: &Path, entries: &str) -> Slapd {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let authority = certified.cert.pem();
    let file = |name: &str, text: &str| -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, text).expect("the folder is ours");
        path
    };
    let certificate = file("cert.pem", &authority);
    let key = file("key.pem", &certified.signing_key.serialize_pem());
    let data = folder.join("data");
    fs::create_dir(&data).expect("the folder is ours");
    // Without pages nobody but the administrator gets more than 1,000 entries.
    let configuration = file(
        "slapd.conf",
        &format!(
            "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n\
             include /etc/ldap/schema/inetorgperson.schema\ninclude /etc/ldap/schema/misc.schema\n\
             modulepath /usr/lib/ldap\nmoduleload back_mdb\nloglevel stats\n\
             TLSCertificateFile {}\nTLSCertificateKeyFile {}\n\
             access to attrs=userPassword by anonymous auth by * none\naccess to * by dn.exact=\"{READER}\" read by * none\n\
             database mdb\nmaxsize 1073741824\nsuffix \"{BASE}\"\nlimits * size.soft=1000 size.hard=1000 size.pr=1000 size.prtotal=unlimited\nrootdn \"cn=admin,{BASE}\"\ndirectory {}\n",
            certificate.display(),
            key.display(),
            data.display()
        ),
    );
    let ldif = file("entries.ldif", entries);
    let mut add = Command::new("/usr/sbin/slapadd");
    add.arg("-q").arg("-f").arg(&configuration).arg("-l").arg(&ldif);
    let _ = finish(add).expect(0);
    // Ports that the kernel gives; in the moment until slapd takes them somebody else might, and the test would fail loudly.
    let port = || TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let (plain, tls) = (port(), port());
    let child = Command::new(SLAPD)
        .args(["-d", "stats", "-h", &format!("ldap://127.0.0.1:{plain}/ ldaps://127.0.0.1:{tls}/"), "-f"])
        .arg(&configuration)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("slapd can be started");
    let mut slapd = Slapd { child, plain, tls, authority: authority.into_bytes() };
    let (send, lines) = channel();
    let stderr = slapd.child.stderr.take().expect("the stream was piped");
    // Read to the end, so that slapd never waits on a full pipe.
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let _ = send.send(line);
        }
    });
    let end = Instant::now() + DEADLINE;
    let mut said = Vec::new();
    while !said.last().is_some_and(|line: &String| line.contains("slapd starting")) {
        let line = lines.recv_timeout(end.saturating_duration_since(Instant::now()));
        said.push(line.unwrap_or_else(|_| panic!("slapd did not start: {said:#?}")));
    }
    slapd
}

/// The entries as slapadd reads them. Names are text of any kind, so they are written in Base64.
fn ldif(entries: &Entries) -> String {
    let mut out = format!(
        "dn: {BASE}\nobjectClass: domain\ndc: contoso\n\ndn: {READER}\nobjectClass: person\ncn: reader\nsn: reader\nuserPassword: topsecret\n"
    );
    let dn = |mail: &str| format!("mail={mail},{BASE}");
    for person in &entries.people {
        let (given, family) = person.name.split_once(' ').unwrap_or(("", &person.name));
        write!(
            out,
            "\ndn: {}\nobjectClass: inetOrgPerson\nobjectClass: inetLocalMailRecipient\ncn:: {}\nsn:: {}\ngivenName:: {}\nmail: {}\n",
            dn(&person.mail),
            base64(&person.name),
            base64(family),
            base64(given),
            person.mail
        )
        .expect("a string takes it");
        for alias in &person.aliases {
            writeln!(out, "mailLocalAddress: {alias}").expect("a string takes it");
        }
        if let Some(manager) = &person.manager {
            writeln!(out, "manager: {}", dn(manager)).expect("a string takes it");
        }
        if let Some(department) = &person.department {
            writeln!(out, "departmentNumber: {department}").expect("a string takes it");
        }
    }
    for group in &entries.groups {
        write!(
            out,
            "\ndn: {}\nobjectClass: groupOfNames\nobjectClass: extensibleObject\ncn: {}\nmail: {}\n",
            dn(&group.mail),
            group.name,
            group.mail
        )
        .expect("a string takes it");
        let mut owners = group.owners.clone();
        owners.sort();
        owners.dedup();
        for owner in &owners {
            writeln!(out, "owner: {}", dn(owner)).expect("a string takes it");
        }
        for member in entries.people.iter().take(group.members as usize) {
            writeln!(out, "member: {}", dn(&member.mail)).expect("a string takes it");
        }
    }
    out
}

/// RFC 4648 §4.
fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in text.as_bytes().chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at) & 63) as usize];
            out.push(if at <= three.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

/// Entries that no directory should have, and some have.
fn odd() -> String {
    let megabyte = "A".repeat(1 << 20);
    format!(
        "\ndn: cn=big,{BASE}\nobjectClass: inetOrgPerson\ncn: big\nsn: big\ndisplayName: {megabyte}\nmail: big@odd.example\n\
         \ndn: cn=control,{BASE}\nobjectClass: inetOrgPerson\ncn: control\nsn: c\ndisplayName:: {}\nmail: control@odd.example\n\
         \ndn: cn=no address,{BASE}\nobjectClass: inetOrgPerson\ncn: no address\nsn: n\nmail: nobody\n",
        base64("Eve\u{0}\u{202e}evil\nBcc: x")
    )
}

fn settings(slapd: &Slapd, tls: LdapTls) -> LdapSettings {
    LdapSettings {
        port: if tls == LdapTls::Ldaps { slapd.tls } else { slapd.plain },
        authorities: Some(slapd.authority.clone()),
        bind_dn: READER.to_owned(),
        password: "topsecret".to_owned(),
        ..LdapSettings::new("127.0.0.1", tls, BASE)
    }
}

async fn loaded(settings: &LdapSettings) -> Result<Entries, LdapError> {
    load(settings, &DirectoryLimits::default()).await.map(|(entries, _)| entries)
}

/// The same entries, in the same order.
fn sorted(mut entries: Entries) -> Entries {
    entries.people.sort_by(|a, b| a.mail.cmp(&b.mail));
    entries.groups.sort_by(|a, b| a.mail.cmp(&b.mail));
    for group in &mut entries.groups {
        group.owners.sort();
        group.owners.dedup();
    }
    entries
}

/// What must be refused, and why it is.
async fn refusals(slapd: &Slapd) {
    let good = || settings(slapd, LdapTls::StartTls);
    let stranger = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let cases = [
        ("a wrong password", LdapSettings { password: "wrong".to_owned(), ..good() }, "did not accept"),
        ("nobody of that name", LdapSettings { bind_dn: format!("cn=nobody,{BASE}"), ..good() }, "did not accept"),
        (
            "a certificate of somebody else",
            LdapSettings { authorities: Some(stranger.cert.pem().into_bytes()), ..good() },
            "cannot connect",
        ),
        ("a certificate for another name", LdapSettings { host: "localhost".to_owned(), ..good() }, "cannot connect"),
        ("TLS where none is spoken", LdapSettings { tls: LdapTls::Ldaps, ..good() }, "cannot connect"),
        ("without a name", LdapSettings { bind_dn: String::new(), ..good() }, "the search for people failed"),
        ("another base", LdapSettings { base: "dc=elsewhere".to_owned(), ..good() }, "the search for people failed"),
        (
            "a filter that is none",
            LdapSettings { people_filter: "(mail=*".to_owned(), ..good() },
            "the search for people failed",
        ),
    ];
    for (why, settings, expected) in cases {
        let error = loaded(&settings).await.expect_err(why).to_string();
        assert!(error.contains(expected) && !error.contains("topsecret"), "{why}: {error}");
    }
}

/// How many are found among the first five. How long that takes is measured by `cargo xtask bench directory`.
fn look(directory: &Directory, looked_for: &[LookedFor]) -> usize {
    let mut good = 0;
    for one in looked_for {
        let found = directory.find(&one.local, DOMAIN);
        let mut first = found.exact.iter().chain(&found.candidates).take(5);
        let is_there = first.any(|candidate| candidate.mail == one.mail);
        if !is_there {
            eprintln!("{} ({}) is {}", one.local, one.way, one.mail);
        }
        good += usize::from(is_there);
    }
    good
}

#[test]
fn a_large_company_in_slapd() {
    if !Path::new(SLAPD).exists() {
        must_not_skip("slapd is not installed: `cargo xtask test --install`");
        return;
    }
    let folder = TempDir::new().expect("a temporary folder");
    let mut dice = Dice::new(20_251_223);
    let entries = company(20_000, 2_000, &mut dice);
    let slapd = start(folder.path(), &(ldif(&entries) + &odd()));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");

    let expected = sorted(entries.clone());
    for tls in [LdapTls::StartTls, LdapTls::Ldaps, LdapTls::Clear] {
        let began = Instant::now();
        let mut found =
            runtime.block_on(loaded(&settings(&slapd, tls))).unwrap_or_else(|error| panic!("{tls:?}: {error}"));
        println!("{tls:?}: loaded in {:?}", began.elapsed());
        let is_odd = |mail: &str| !mail.ends_with(DOMAIN);
        let odd = found.people.iter().filter(|person| is_odd(&person.mail)).count();
        assert_eq!(odd, 3, "{tls:?}: what is odd came too");
        assert!(found.people.iter().all(|person| person.name.len() <= 4_096), "cut before it is kept");
        found.people.retain(|person| !is_odd(&person.mail));
        let found = sorted(found);
        assert_eq!((found.people.len(), found.groups.len()), (20_000, 2_000), "{tls:?}");
        let (people, groups) = (found.people.iter().zip(&expected.people), found.groups.iter().zip(&expected.groups));
        for (found, expected) in people {
            assert_eq!(found, expected, "{tls:?}");
        }
        for (found, expected) in groups {
            assert_eq!(found, expected, "{tls:?}");
        }
    }
    runtime.block_on(refusals(&slapd));
    // The server goes away: what was loaded is still there to be asked.
    let loaded = runtime.block_on(loaded(&settings(&slapd, LdapTls::StartTls))).unwrap_or_default();
    drop(slapd);
    let (directory, flaws) = Directory::new(loaded, DirectoryLimits::default());
    assert_eq!((directory.len(), flaws.total), (22_002, 1), "two odd people, and one without an address: {flaws:?}");
    let control = directory.find("control", "odd.example").exact.expect("she has an address");
    assert_eq!(control.name, "Eve evil Bcc: x");

    let (certain, likely) = (exact(&entries, 2_000, &mut dice), similar(&entries, 1_000, &mut dice));
    // Two thirds are found exactly, one third among the first five candidates.
    assert_eq!(look(&directory, &certain), certain.len());
    let good = look(&directory, &likely);
    println!("{} exact; {good} of {} like it", certain.len(), likely.len());
    assert!(good * 1_000 >= likely.len() * 985, "{good}");
}
