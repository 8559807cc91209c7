//! Flows: who sends in our name, stream by stream, what each is taken for, and why.
//!
//! In: the ledger, what is known of sources, what was declared and decided. Out: [`FlowLine`]s, [`Flow`]s, a trend by class; all of them read
//! from a snapshot that is made when something has changed. Nothing here asks DNS or looks at a row when a page is shown.
//!
//! | module | is |
//! | --- | --- |
//! | `cell`, `pack`, `day` | what all reporters say together of a source and a combination of results on a day, kept day by day |
//! | `parts`, `vocabulary` | the cells of an organizational domain cut by address, so that memory is what few parts take; names by number |
//! | `knowledge`, `space` | what all cells say of sources, keys and networks: who sends directly, whose machines are ours |
//! | `identity` | which flow a cell belongs to |
//! | `features`, `results`, `rhythm`, `phases` | what a flow adds up to; when it sends; the times in which it fares alike |
//! | `around`, `crowd`, `strangers` | what others near a flow do; many small ones looked at as one |
//! | `rules`, `fraud`, `class` | from there to a verdict with its reasons |
//! | `judging`, `series` | all of it for one organizational domain |
//! | `assess`, `fold`, `snapshot`, `lanes` | for the whole ledger, and as it is kept: large flows one by one, small ones together; the flow of each cell |
//! | `sums` | what each flow sent on a day, whatever its addresses |
//! | `decisions` | what people decided |
//! | `read`, `spikes`, `answers` | what is shown |
//! | `sheet` | rows that lie in no ledger, judged all the same |

/// A map by addresses or numbers, of which there are millions: found faster in than in the standard one, and seeded as well.
pub(crate) type Map<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;

mod answers;
mod around;
mod assess;
pub(crate) mod cell;
mod class;
mod crowd;
pub(crate) mod day;
mod decisions;
mod features;
mod fold;
mod fraud;
mod identity;
mod judging;
mod knowledge;
mod lanes;
pub(crate) mod pack;
mod parts;
mod phases;
mod read;
mod results;
mod rhythm;
mod rules;
mod series;
mod sheet;
pub(crate) mod snapshot;
mod space;
mod spikes;
mod strangers;
pub(crate) mod sums;
mod vocabulary;

pub use answers::*;
pub use assess::Organisation;
pub use class::{Diagnosis, FlowClass, FlowEvidence, Verdict};
pub use decisions::{Decided, Decision, NewDecision, Target, decide, decisions};
pub use identity::Sender;
pub use read::{JudgedRow, class_trend, flow, flows, judge_rows, source_flows};
pub use results::{DkimSeen, FlowResult, SpfSeen};
pub use sheet::{JudgedFlow, PackedSheet, Sheet, SheetRow};
pub use snapshot::{FlowLimits, flows_version, refresh_flows, shows_at_once};
pub use spikes::{ClassRise, ClassSpike, FlowRise};

pub(crate) use cell::{Cell, Names as CellNames, Own, Spf, Whose};
pub(crate) use day::{Kept, address};
pub(crate) use features::DayCount;
pub(crate) use identity::hash;
pub(crate) use lanes::Runs;
pub(crate) use pack::v4;
pub(crate) use phases::phases;
pub(crate) use read::{class_on, flows_of, shown, within};
pub(crate) use series::together;
pub(crate) use snapshot::{Days, Loaded, Snapshot, lanes, load, more, stale};
