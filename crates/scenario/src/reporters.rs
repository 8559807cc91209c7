//! The reporters: who sends reports, how much of the mail they see, and the habits they have.

use report::Dialect;

/// One reporter and its habits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reporter {
    pub(crate) name: &'static str,
    /// Host in the file name and the address.
    pub(crate) host: &'static str,
    /// Share of the mail it receives, in thousandths of all.
    pub(crate) share: u64,
    pub(crate) dialect: Dialect,
    pub(crate) container: Container,
    /// Seconds after midnight UTC at which its day begins.
    pub(crate) begins: i64,
    /// Reports for one day.
    pub(crate) parts: u64,
    pub(crate) habits: Habits,
}

/// What a reporter does its own way.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "habits are independent of each other")]
pub(crate) struct Habits {
    /// Says so when mail was forwarded or came through a list.
    pub(crate) says_forwarded: bool,
    /// Counts SPF look-ups as strictly as RFC 7208 §4.6.4 wants.
    pub(crate) strict_spf: bool,
    /// Leaves out selectors.
    pub(crate) no_selectors: bool,
    /// Leaves out `sp` and the alignment modes.
    pub(crate) short_policy: bool,
    /// Leaves out the envelope sender.
    pub(crate) no_envelope: bool,
    /// Writes `Pass`, `hardfail` and an empty `sp`.
    pub(crate) sloppy: bool,
    /// Sends a report again, every so many days.
    pub(crate) repeats_every: u32,
    /// Uses the same report id every day.
    pub(crate) one_id: bool,
    /// Sends nothing on these days of the month.
    pub(crate) silent: [i8; 3],
}

/// What a report comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    Xml,
    Gzip,
    Zip,
    /// A mail with a gzip attachment.
    Mail,
}

const PLAIN: Habits = Habits {
    says_forwarded: false,
    strict_spf: false,
    no_selectors: false,
    short_policy: false,
    no_envelope: false,
    sloppy: false,
    repeats_every: 0,
    one_id: false,
    silent: [0; 3],
};

const fn reporter(
    name: &'static str,
    host: &'static str,
    share: u64,
    container: Container,
    habits: Habits,
) -> Reporter {
    Reporter { name, host, share, dialect: Dialect::Rfc7489, container, begins: 0, parts: 1, habits }
}

/// All reporters; what is missing from a thousand goes to receivers that do not report.
pub(crate) const REPORTERS: [Reporter; 13] = [
    reporter(
        "bigmail.example",
        "bigmail.example",
        380,
        Container::Zip,
        Habits { says_forwarded: true, strict_spf: true, no_envelope: true, ..PLAIN },
    ),
    Reporter {
        dialect: Dialect::Rfc9990,
        ..reporter(
            "Bigoffice",
            "protection.bigoffice.example",
            210,
            Container::Gzip,
            Habits { says_forwarded: true, ..PLAIN },
        )
    },
    reporter(
        "Postbox Inc.",
        "postbox.example",
        120,
        Container::Gzip,
        Habits { short_policy: true, strict_spf: true, ..PLAIN },
    ),
    Reporter {
        parts: 4,
        ..reporter("Harbour Mail", "harbourmail.example", 70, Container::Gzip, Habits { strict_spf: true, ..PLAIN })
    },
    Reporter {
        begins: 7 * 3_600,
        ..reporter("Northline", "northline.example", 45, Container::Xml, Habits { no_selectors: true, ..PLAIN })
    },
    Reporter {
        dialect: Dialect::Rfc9990,
        ..reporter(
            "Fjordpost",
            "fjordpost.example",
            35,
            Container::Mail,
            Habits { says_forwarded: true, strict_spf: true, ..PLAIN },
        )
    },
    reporter("mail.lantern.example", "mail.lantern.example", 28, Container::Mail, Habits { sloppy: true, ..PLAIN }),
    reporter("Cablenet", "cablenet.example", 22, Container::Gzip, Habits { silent: [9, 10, 24], ..PLAIN }),
    reporter(
        "Uplandia University",
        "mx.uplandia-edu.example",
        16,
        Container::Gzip,
        Habits { repeats_every: 5, ..PLAIN },
    ),
    reporter(
        "Guardgate",
        "guardgate.example",
        30,
        Container::Zip,
        Habits { one_id: true, no_selectors: true, ..PLAIN },
    ),
    reporter("Tidewater Bank", "mx.tidewater.example", 9, Container::Xml, Habits { strict_spf: true, ..PLAIN }),
    reporter("Ostmarkt", "ostmarkt.example", 7, Container::Zip, Habits { silent: [1, 2, 3], sloppy: true, ..PLAIN }),
    Reporter {
        dialect: Dialect::Rfc9990,
        ..reporter(
            "Self-hosted at Brightwell",
            "brightwell.example",
            3,
            Container::Gzip,
            Habits { says_forwarded: true, ..PLAIN },
        )
    },
];
