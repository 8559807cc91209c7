//! Those who report: how large they are, and the habits by which a reader of reports knows each of them.
//!
//! The habits are those of real reporters, the names are invented.

use report::{Dialect, Text};

use crate::container::Packed;
use crate::flow::Reach;
use crate::habit::{Habit, Indent};

/// When reports begin and end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Window {
    /// A day from this hour UTC on; the end is its last second, or the one after.
    Day { hour: u8, inclusive: bool },
    /// Four a day.
    Quarters,
}

/// How report ids look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ids {
    /// 19 digits.
    Digits,
    /// `1709600619.487850`
    Seconds,
    /// 32 hexadecimal digits.
    Hex,
    /// `20251223.41@reporter`
    Dated,
    /// `v2-1738729984-domain`
    Versioned,
    /// Numbers that go up.
    Serial,
    /// `domain_1504828800`
    DomainSeconds,
    /// A UUID.
    Uuid,
    /// 64 hexadecimal digits that come again every ten days.
    Reused,
}

/// How forwarded mail shows in what a reporter overrides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recognises {
    /// `local_policy`, `arc=pass …`
    Arc,
    /// `mailing_list` for lists, `trusted_forwarder` for forwarders.
    ListsAndForwarders,
    /// `forwarded` (RFC 7489 only).
    Forwarded,
}

/// What a reporter sends twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    Nothing,
    /// The same file, one report in so many.
    SameFile(u64),
    /// The same report uncompressed, one in so many.
    OtherContainer(u64),
}

/// When a reporter sends nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Silence {
    /// From this day of the story to before that one.
    pub(crate) spans: Vec<(i32, i32)>,
    /// The day of the story's week for which nobody works there, 0 to 6.
    pub(crate) weekly: Option<i32>,
}

impl Silence {
    const NEVER: Self = Self { spans: Vec::new(), weekly: None };

    pub(crate) fn holds(&self, day: i32) -> bool {
        self.spans.iter().any(|(from, to)| (*from..*to).contains(&day)) || self.weekly == Some(day.rem_euclid(7))
    }
}

/// One reporter.
#[derive(Debug, Clone)]
pub(crate) struct Reporter {
    pub(crate) domain: Text,
    pub(crate) organization: Text,
    pub(crate) email: Text,
    pub(crate) contact: Option<Text>,
    pub(crate) generator: Option<Text>,
    pub(crate) dialect: Dialect,
    /// The share of mail to companies, and of mail to people, that it receives.
    pub(crate) business: f64,
    pub(crate) consumer: f64,
    pub(crate) window: Window,
    pub(crate) ids: Ids,
    pub(crate) packed: Packed,
    pub(crate) habit: Habit,
    /// Days by which it follows DNS late.
    pub(crate) late: i32,
    /// It does not count the look-ups of SPF.
    pub(crate) lenient: bool,
    /// How, and which share of forwarded mail it recognises.
    pub(crate) recognises: Option<(Recognises, f64)>,
    /// It rejects nobody, and says so.
    pub(crate) softens: bool,
    /// Recipient domains it names (`envelope_to`), with weights; none if empty.
    pub(crate) recipients: Vec<(Text, f64)>,
    /// Days of the story for which it sends nothing.
    pub(crate) silent: Silence,
    pub(crate) again: Again,
    /// The day of the story for which it sends a wrong report first and a corrected one the next day.
    pub(crate) corrects: Option<i32>,
}

impl Reporter {
    pub(crate) fn share(&self, reach: Reach) -> f64 {
        match reach {
            Reach::Business => self.business,
            Reach::Consumer => self.consumer,
        }
    }
}

const MIDNIGHT: Window = Window::Day { hour: 0, inclusive: false };
const LAST_SECOND: Window = Window::Day { hour: 0, inclusive: true };

const fn t(text: &'static str) -> Text {
    Text::const_new(text)
}

const PLAIN: Reporter = Reporter {
    domain: t(""),
    organization: t(""),
    email: t(""),
    contact: None,
    generator: None,
    dialect: Dialect::Rfc7489,
    business: 0.0,
    consumer: 0.0,
    window: MIDNIGHT,
    ids: Ids::Digits,
    packed: Packed::Gzip,
    habit: Habit::NONE,
    late: 0,
    lenient: false,
    recognises: None,
    softens: false,
    recipients: Vec::new(),
    silent: Silence::NEVER,
    again: Again::Nothing,
    corrects: None,
};

/// All reporters, largest first.
pub(crate) fn reporters() -> Vec<Reporter> {
    let mut all = large();
    all.extend(middle());
    all.extend(small());
    all.extend(smallest());
    all
}

fn large() -> Vec<Reporter> {
    vec![
        Reporter {
            domain: t("bigmail.example"),
            organization: t("bigmail.example"),
            email: t("noreply-dmarc-support@bigmail.example"),
            contact: Some(t("https://support.bigmail.example/a/answer/2466580")),
            business: 0.29,
            consumer: 0.44,
            window: LAST_SECOND,
            ids: Ids::Digits,
            packed: Packed::Zip,
            habit: Habit { drop: &["version", "fo", "scope", "envelope_from"], ..Habit::NONE },
            recognises: Some((Recognises::Arc, 0.55)),
            ..PLAIN
        },
        Reporter {
            domain: t("bigoffice.example"),
            organization: t("Enterprise BigOffice"),
            email: t("dmarcreport@bigoffice.example"),
            business: 0.27,
            consumer: 0.13,
            ids: Ids::Hex,
            softens: true,
            recognises: Some((Recognises::Arc, 0.3)),
            recipients: [
                ("mail.bigoffice.example", 5.0),
                ("live.bigoffice.example", 2.0),
                ("wingtip-machines.example", 1.2),
                ("nordsteel.example", 1.0),
                ("city-of-lund.test", 0.6),
                ("adatum-legal.test", 0.4),
                ("fourth-bank.example", 0.3),
            ]
            .map(|(name, weight)| (t(name), weight))
            .into(),
            ..PLAIN
        },
        Reporter {
            domain: t("postbox.example"),
            organization: t("Postbox"),
            email: t("dmarchelp@postbox.example"),
            business: 0.06,
            consumer: 0.17,
            window: LAST_SECOND,
            ids: Ids::Seconds,
            habit: Habit {
                drop: &["version", "sp", "fo", "scope", "envelope_from"],
                indent: Indent::Trailing,
                ..Habit::NONE
            },
            late: 1,
            ..PLAIN
        },
        Reporter {
            domain: t("northmail.example"),
            organization: t("Northmail"),
            email: t("noreply-dmarc@secure.northmail.example"),
            contact: Some(t("https://postmaster.northmail.example/en/case?c=r2002")),
            dialect: Dialect::Rfc9990,
            business: 0.05,
            consumer: 0.062,
            window: LAST_SECOND,
            ids: Ids::Hex,
            packed: Packed::MailGzip,
            habit: Habit { indent: Indent::Three, ..Habit::NONE },
            recognises: Some((Recognises::ListsAndForwarders, 0.6)),
            ..PLAIN
        },
    ]
}

fn middle() -> Vec<Reporter> {
    vec![
        Reporter {
            domain: t("gatekeeper.example"),
            organization: t("Gatekeeper"),
            email: t("no-reply@uk-1.gatekeeper.example"),
            contact: Some(t("https://community.gatekeeper.example/s/knowledge")),
            business: 0.075,
            consumer: 0.004,
            window: Window::Quarters,
            ids: Ids::Reused,
            packed: Packed::MailGzip,
            habit: Habit {
                drop: &["version", "scope", "envelope_from", "fo"],
                empty_human_result: true,
                ..Habit::NONE
            },
            recognises: Some((Recognises::ListsAndForwarders, 0.2)),
            ..PLAIN
        },
        Reporter {
            domain: t("woodgrove.example"),
            organization: t("Woodgrove Mail"),
            email: t("dmarc-reports@woodgrove.example"),
            generator: Some(t("lantern/2.1")),
            dialect: Dialect::Rfc9990,
            business: 0.05,
            consumer: 0.022,
            window: LAST_SECOND,
            ids: Ids::Dated,
            packed: Packed::Gzip,
            recognises: Some((Recognises::Arc, 0.7)),
            ..PLAIN
        },
        Reporter {
            domain: t("ostmail.example"),
            organization: t("Ostmail"),
            email: t("dmarc_support@corp.ostmail.example"),
            contact: Some(t("http://help.ostmail.example/mail-help")),
            business: 0.01,
            consumer: 0.05,
            ids: Ids::Digits,
            packed: Packed::MailZip,
            habit: Habit { drop: &["version", "fo", "envelope_from"], indent: Indent::OneLine, ..Habit::NONE },
            // Stopped reporting a few days before the end.
            silent: Silence { spans: vec![(86, 120)], weekly: None },
            ..PLAIN
        },
        Reporter {
            domain: t("cablenet.example"),
            organization: t("cablenet.example"),
            email: t("dmarc-admin@alerts.cablenet.example"),
            business: 0.02,
            consumer: 0.034,
            window: Window::Day { hour: 7, inclusive: false },
            ids: Ids::Versioned,
            packed: Packed::Xml,
            habit: Habit { indent: Indent::Tabs, ..Habit::NONE },
            recognises: Some((Recognises::Forwarded, 0.4)),
            late: 1,
            ..PLAIN
        },
    ]
}

fn small() -> Vec<Reporter> {
    vec![
        Reporter {
            domain: t("quickpost.example"),
            organization: t("Quickpost Pty Ltd"),
            email: t("reports@quickpostdmarc.example"),
            contact: Some(t("https://quickpost.example/")),
            business: 0.015,
            consumer: 0.015,
            window: LAST_SECOND,
            ids: Ids::Serial,
            habit: Habit { drop: &["adkim", "aspf"], indent: Indent::Tabs, ..Habit::NONE },
            again: Again::OtherContainer(9),
            ..PLAIN
        },
        Reporter {
            domain: t("harbourbank.example"),
            organization: t("Harbour Bank"),
            email: t("postmaster@harbourbank.example"),
            business: 0.022,
            consumer: 0.002,
            ids: Ids::DomainSeconds,
            packed: Packed::ZipOfDay,
            // A broken job in the middle, and no reports for Sundays (the story begins on a Wednesday).
            silent: Silence { spans: vec![(24, 28)], weekly: Some(4) },
            again: Again::SameFile(11),
            ..PLAIN
        },
    ]
}

fn smallest() -> Vec<Reporter> {
    vec![
        Reporter {
            domain: t("mailwall.example"),
            organization: t("mailwall.example"),
            email: t("dmarc-report@mailwall.example"),
            business: 0.016,
            consumer: 0.002,
            ids: Ids::Hex,
            habit: Habit {
                drop: &["version", "selector", "scope", "envelope_from", "fo"],
                empty_dkim: true,
                indent: Indent::Three,
                ..Habit::NONE
            },
            lenient: true,
            ..PLAIN
        },
        Reporter {
            domain: t("alder-state.example"),
            organization: t("Alder State University"),
            email: t("dmarc@alder-state.example"),
            business: 0.008,
            consumer: 0.007,
            window: Window::Day { hour: 0, inclusive: false },
            ids: Ids::Uuid,
            packed: Packed::Xml,
            habit: Habit { drop: &["sp", "selector"], shouts: true, ..Habit::NONE },
            recognises: Some((Recognises::ListsAndForwarders, 0.9)),
            lenient: true,
            ..PLAIN
        },
        Reporter {
            domain: t("relaycloud.example"),
            organization: t("RELAYCLOUD-SES"),
            email: t("postmaster@relaycloud.example"),
            business: 0.01,
            consumer: 0.003,
            ids: Ids::Uuid,
            packed: Packed::MailOctets,
            habit: Habit { drop: &["scope", "selector"], version: Some("0.1"), indent: Indent::Tabs, ..Habit::NONE },
            lenient: true,
            ..PLAIN
        },
        Reporter {
            domain: t("vaxby-kommun.test"),
            organization: t("Vaxby kommun"),
            email: t("it@vaxby-kommun.test"),
            dialect: Dialect::Rfc9990,
            business: 0.006,
            consumer: 0.001,
            window: LAST_SECOND,
            ids: Ids::Dated,
            packed: Packed::Gzip,
            recognises: Some((Recognises::ListsAndForwarders, 0.5)),
            corrects: Some(13),
            ..PLAIN
        },
    ]
}
