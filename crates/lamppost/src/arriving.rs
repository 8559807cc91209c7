//! How the sources of reports fare, as the portal shows it: from their boards and the configuration.
//!
//! In: boards that sources write on, and where each is. Out: plain data, without secrets. Nothing is decided here.

use std::collections::HashMap;
use std::sync::Arc;

use collect::sources::Settings;
use collect::{Board, Collecting, Health};
use portal::program::{self, Activity, Mishap, SourceHealth, Told};

/// Refusals of each source that are handed on; the ledger lists all whose bytes are kept.
const REFUSALS_MAX: usize = 20;

/// What tells how the sources fare, as long as they run.
pub(crate) fn told(collecting: &Collecting, settings: &Settings) -> Told<program::Collecting> {
    let (boards, desk) = (collecting.boards(), collecting.desk());
    let mut places: HashMap<String, String> = settings.places().into_iter().collect();
    // A port that the system chose is the one to be told.
    places.extend(collecting.listening().iter().map(|(name, address)| (name.clone(), address.to_string())));
    Arc::new(move || {
        let mut sources: Vec<SourceHealth> =
            boards.iter().map(Board::read).map(|health| shown(health, &places)).collect();
        // The last board is that of what takes in what the others kept.
        let taking = sources.pop();
        program::Collecting { sources, taking, backlog: desk.backlog() }
    })
}

fn shown(health: Health, places: &HashMap<String, String>) -> SourceHealth {
    let mishap = |mishap: collect::Mishap| Mishap { at: mishap.at, message: mishap.message };
    SourceHealth {
        endpoint: places.get(&health.name).cloned().unwrap_or_default(),
        name: health.name,
        kind: health.kind.to_owned(),
        activity: match health.activity {
            collect::Activity::Starting => Activity::Starting,
            collect::Activity::Waiting => Activity::Waiting,
            collect::Activity::Working => Activity::Working,
            collect::Activity::Failing => Activity::Failing,
            collect::Activity::Stopped => Activity::Stopped,
        },
        last_success: health.last_success,
        last_item: health.last_item,
        last_error: health.last_error.map(mishap),
        errors: health.errors,
        items: health.items,
        bytes: health.bytes,
        repeated: health.repeated,
        refused: health.refused,
        refusals: health.refusals.into_iter().take(REFUSALS_MAX).map(mishap).collect(),
        backlog: health.backlog,
    }
}
