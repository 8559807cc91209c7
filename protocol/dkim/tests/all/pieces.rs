//! A message that comes in pieces cut anywhere, as from a socket: the verdicts are those of the whole.

use dkim::{BodyHasher, Canon, Limits, Signer, SigningKey, Verdict, Verifier, sign};
use message::{Domain, HeaderLimits, HeaderReader, Progress, split};
use proptest::prelude::*;

use crate::common::{NOW, ed25519, record, rsa, shown, txt, verify, zone};

/// The verdicts of a message that is cut at these places.
fn in_pieces(message: &[u8], cuts: &[usize], zone: &dns::Zone) -> Vec<Verdict> {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut % (message.len() + 1)).collect();
    places.extend([0, message.len()]);
    places.sort_unstable();
    let mut pieces = places.windows(2).map(|pair| &message[pair[0]..pair[1]]);
    let mut reader = HeaderReader::new(HeaderLimits::default());
    let begun = pieces.by_ref().find_map(|piece| match reader.feed(piece).expect("within the limits") {
        Progress::More => None,
        Progress::Done { header, body, rest } => Some((header, body, &piece[rest..])),
    });
    let (header, mut body, first) = begun.expect("the header ends");
    let mut bodies = BodyHasher::new();
    let verifier = Verifier::new(&header, Limits::default(), &mut bodies);
    for piece in std::iter::once(first).chain(pieces) {
        body.feed(piece, |bytes| bodies.feed(bytes));
    }
    body.finish(|bytes| bodies.feed(bytes));
    dns::now(verifier.finish(&bodies.finish(), zone, NOW))
}

fn signer(key: &SigningKey, forms: [Canon; 2]) -> Signer {
    let name = |text: &str| Domain::parse(text.as_bytes()).expect("a name");
    let key = SigningKey::read(&key.to_pem().expect("PEM")).expect("a key");
    let mut signer = Signer::new(name("legit.test"), name("sel"), key);
    [signer.header_canon, signer.body_canon] = forms;
    signer
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Two signatures, one of them in other forms; the message whole or with a byte changed, with CRLF or LF.
    #[test]
    fn where_it_is_cut_changes_nothing(
        body in prop::collection::vec(prop::sample::select(vec!["a", " ", "\t", "\r\n", "word", "\r\n\r\n", "\u{fc}"]), 0..40),
        forms: [bool; 4],
        changed: bool,
        lf: bool,
        cuts in prop::collection::vec(any::<usize>(), 0..8),
    ) {
        let canon = forms.map(|relaxed| if relaxed { Canon::Relaxed } else { Canon::Simple });
        let mut message = format!("From: a@legit.test\r\nTo: b@other.test\r\nSubject: hello\r\n\r\n{}", body.concat());
        for (key, forms) in [(rsa(), [canon[0], canon[1]]), (ed25519(), [canon[2], canon[3]])] {
            let (header, intake, rest) = split(message.as_bytes(), &HeaderLimits::default()).unwrap();
            message = sign(&signer(key, forms), &header, (intake, rest), NOW).unwrap() + &message;
        }
        if changed {
            message = message.replace("hello", "hullo");
        }
        if lf {
            message = message.replace("\r\n", "\n");
        }
        let zone = zone(&txt("sel._domainkey.legit.test", &(record(rsa()))));
        let whole = verify(message.as_bytes(), &zone, NOW);
        prop_assert_eq!(shown(&whole[1]).starts_with("pass"), !changed, "{}", message);
        prop_assert_eq!(in_pieces(message.as_bytes(), &cuts, &zone), whole);
    }
}
