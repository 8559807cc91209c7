//! Look-alikes: lines only for names that existed, a change for each other state, kept by rebuild.

use super::support::directory;
use crate::lookalike::{LookalikeLook, LookalikePass};
use crate::{Ledger, LookalikeEntry};

const OURS: &str = "contoso.example";

fn look(name: &str, state: Option<&str>) -> LookalikeLook {
    LookalikeLook { name: name.to_owned(), state: state.map(str::to_owned) }
}

#[test]
fn states_are_kept_with_their_changes() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    let note = |at, looks: &[LookalikeLook], pass| ledger.note_lookalikes(OURS, looks, pass, at).unwrap();
    assert_eq!(note(1, &[look("a.example", Some("1")), look("b.example", None)], None), 1, "one exists");
    assert_eq!(note(2, &[look("a.example", Some("1"))], None), 0, "as before");
    assert_eq!(note(3, &[look("a.example", Some("2"))], None), 1, "another state");
    assert_eq!(note(4, &[look("a.example", None)], None), 1, "gone");
    assert_eq!(note(5, &[look("a.example", None)], None), 0, "still gone");
    assert_eq!(note(6, &[look("a.example", Some("2"))], None), 1, "it returns");
    let pass = LookalikePass { place: 7, passes: 1, looked_at: 7 };
    note(7, &[], Some(pass));
    assert_eq!(note(8, &[look("c.example", Some("1"))], None), 1);
    let line = |e: LookalikeEntry| (e.name, e.state, e.absent_before, e.first_seen, e.last_seen, e.looked_at);
    let expected = [
        ("a.example".to_owned(), Some("2".to_owned()), false, 1, 6, 6),
        ("c.example".to_owned(), Some("1".to_owned()), true, 8, 8, 8),
    ];
    let check = |ledger: &Ledger| {
        let lines: Vec<_> = ledger.lookalikes(Some(OURS)).unwrap().into_iter().map(line).collect();
        assert_eq!(lines, expected, "what appears after a whole pass was not there before");
        let changes = ledger.lookalike_changes(Some(3), 10).unwrap();
        let changes: Vec<_> = changes.iter().map(|c| (c.at, c.was.as_deref(), c.became.as_deref())).collect();
        let before = [(8, None, Some("1")), (6, None, Some("2")), (4, Some("2"), None), (3, Some("1"), Some("2"))];
        assert_eq!(changes, before);
        assert_eq!(ledger.lookalike_pass(OURS).unwrap(), Some(pass));
    };
    check(&ledger);
    assert_eq!(ledger.lookalikes(Some("other.example")).unwrap(), []);
    assert_eq!(ledger.lookalike_pass("other.example").unwrap(), None);
    ledger.forget_derived().unwrap();
    check(&ledger);
    let copy = directory();
    let copy = copy.path().join("copy");
    ledger.backup(&copy).unwrap();
    check(&Ledger::read(&copy).unwrap());
}

#[test]
fn a_long_state_is_cut() {
    let dir = directory();
    let ledger = Ledger::open(dir.path()).unwrap();
    ledger.note_lookalikes(OURS, &[look("a.example", Some(&"ä".repeat(9_000)))], None, 1).unwrap();
    assert_eq!(ledger.lookalikes(None).unwrap()[0].state.as_ref().map(String::len), Some(8 << 10));
}
