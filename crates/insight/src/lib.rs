//! Insight: what the ledger's rows mean to a Domain Owner. Reads only; the same ledger gives the same answer.
//!
//! | module | answers |
//! | --- | --- |
//! | `scope` | which part of the ledger is meant: the filter bar as data |
//! | `portfolio` | which domains, how do they fare |
//! | `trend` | what happened, day by day, under which policy |
//! | `spike` | which days stand out, and what the extra messages share |
//! | `sources`, `source` | who sends; one address and its history |
//! | `by_address` | cells of a period summed by address |
//! | `ranked` | addresses ranked by one sum, from cells instead of rows |
//! | `profile` | who is behind a source, as it was learned |
//! | `rows` | the rows behind a number |
//! | `owners` | who may be behind a local part, as a directory has it |
//! | `known` | which names and days there are |
//! | `reports`, `raw` | which reports came, what was odd, what was refused; the XML behind one |
//! | `samples` | single messages that failed, and who they were written as |
//! | `incomplete` | which of the newest days are still coming in |
//! | `expected` | which reporters have sent what they usually send |
//! | `heard` | what each reporter says of a domain by day |
//! | `day_by_day` | what is summed from the rows of a day and made anew only when they change |
//! | `reputation` | which failing sources are good or bad by their grade |
//! | `flows` | the streams of mail in our name, what each is taken for, and why |
//! | `inventory` | the keys, greetings and SPF terms that mail in our name rests on |
//! | `lookalikes` | names that could be taken for ours: which exist, what changed, which were in our mail |
//! | `published` | what was published in DNS and when, what changed, and DNS as of a day |
//! | `today` | how the domains fare, and what to do first |
//! | `two_lists` | good sources that fail beside bad ones, and whether it looks safe to tighten |
//! | `alerts` | what has become wrong and somebody should look at; the week |
//! | `preview` | what would happen to mail under other records |
//! | `readiness` | whether a policy may be tightened, and what stands in the way |
//! | `figures` | how numbers are written |
//! | `answers`, `report_answers`, `sample_answers` | the answers as plain data |
//!
//! Nothing here looks anything up outside the ledger, and nothing knows SQL, HTML or a command line.

mod alerts;
mod answers;
mod by_address;
mod cores;
mod counts;
mod day_by_day;
mod error;
mod expected;
mod figures;
mod flows;
mod heard;
mod incomplete;
mod inventory;
mod known;
mod lookalikes;
mod owners;
mod portfolio;
mod preview;
mod profile;
mod published;
mod ranked;
mod raw;
mod readiness;
mod report_answers;
mod reports;
mod reputation;
mod rows;
mod sample_answers;
mod samples;
mod scope;
mod source;
mod sources;
mod spike;
mod today;
mod trend;
mod two_lists;

pub use alerts::*;
pub use answers::*;
pub use error::Error;
pub use expected::{Expected, ExpectedLine, Punctuality, expected};
pub use figures::{commas, rate, rounded};
pub use flows::*;
pub use inventory::*;
pub use known::{Known, known};
pub use lookalikes::{
    LOOKALIKE_ALERT, LookalikeChangeLine, LookalikeLine, LookalikePassLine, LookalikeState, Lookalikes, ScorePart,
    SeenLookalike, lookalike_changes, lookalike_line, lookalike_text, lookalikes, our_names, refresh_seen_lookalikes,
};
pub use owners::{ContactLine, OwnerAnswer, OwnerLine, owners};
pub use portfolio::portfolio;
pub use preview::*;
pub use profile::{EvidenceLine, GradeLine, Profile, ServiceLine};
pub use published::{
    AsOf, DnsChange, DnsHistory, History, PublishedLine, RecordAsOf, RecordKind, dns_changes, dns_history,
    record_as_of, value_of, value_records,
};
pub use raw::raw_xml;
pub use readiness::{
    Ask as ReadinessAsk, Freeze, Gate, GateFlow, GateState, Name as ReadinessName, Needed, NewWaiver, Outlook,
    Part as ReadinessPart, Readiness, ReadinessThresholds, See, Waiver, readiness, waive, waivers,
};
pub use report_answers::*;
pub use reports::{arrivals, conflicts, flaws, rejections, report, reports};
pub use reputation::{BandLine, GapLine, GradedSource, Reputation, reputation};
pub use rows::{report_rows, rows};
pub use sample_answers::*;
pub use samples::{local_parts, sample, samples};
pub use scope::{DAYS_MAX, Period, Scope, parse_network};
pub use source::source;
pub use sources::sources;
pub use spike::explain;
pub use today::{Today, TodayCard, TodayDomain, TodayFlow, TodayKind, TodayReporter, TodayState, TodayWeek, today};
pub use trend::{enforces, policies, trend};
pub use two_lists::{ListLine, ListSide, Tighten, TwoLists, two_lists};
