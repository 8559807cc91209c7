//! Who is behind a sending address, and who is behind a local part: asked once for each new source, never for each row, never while a
//! page is shown.
//!
//! | module | holds |
//! | --- | --- |
//! | `names` | names of an address that lead back to it, and what they say |
//! | `network` | its network, organisation and country, from files that the operator has |
//! | `catalogue` | known mail services, and by which evidence a source is told to be theirs |
//! | `reputation` | evidence from several kinds of sources, and the grade that it adds up to |
//! | `gather` | from the ledger: sources that nothing is known of yet |
//! | `worker` | new sources to profiles, many at a time |
//! | `directory` | people and lists: who is behind a local part |
//! | `time` | moments as they come in |
//!
//! In: addresses with what our own reports say of them; settings, lists and files as values. Out: values to be stored by the caller. No
//! SQL, no pages, no settings files. Nothing leaves the machine but DNS questions: PTR and its confirmation, and lists that the operator
//! switched on.

mod catalogue;
pub mod directory;
mod gather;
mod names;
mod network;
mod recent;
mod reputation;
mod reverse;
mod text;
mod time;
mod worker;

pub use catalogue::{Catalogue, CatalogueError, CatalogueLimits, Service, ServiceKind, ServiceMatch, Shown};
pub use gather::{GatherLimits, gather};
pub use names::{NameGrade, NameLimits, Named, Names, names};
pub use network::{Network, NetworkFile, NetworkFileError, NetworkLimits, Networks};
pub use reputation::{
    Band, Evidence, FileError, FileLimits, FileList, Gap, Grade, ListDefinition, ListsError, Local, Said, Skipped,
    Standing, Value, ZoneLimits, ZoneList, ZoneListError, ZoneState, ZoneTest, grade, standing,
};
pub use time::{Clock, Moment};
pub use worker::{Enricher, Profile, Progress, ProgressCounts, Source, WorkLimits, enrich};
