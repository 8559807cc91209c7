//! Running the portal: over the ledger that is there, or over one made for the occasion.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use collect::{Collecting, Judge, Options};
use portal::program::Program;
use store::Ledger;

use super::{Done, samples};
use crate::cli::ServeArgs;
use crate::config::{self, Config};
use crate::learning::Notes;
use crate::organisation::{Ground, keep_judging};
use crate::progress::ImportBar;
use crate::uploads::Uploads;
use crate::{alerting, arriving, directory, enrichment, lookalikes, reporters, watching};

pub(super) fn serve(args: &ServeArgs, config: &Config, out: &mut impl Write) -> anyhow::Result<Done> {
    let listen = args.listen.unwrap_or(config.portal.listen);
    config::check_listen(listen)?;
    let listener = bind(listen)?;
    let ledger = Ledger::open(&config.data)?;
    if let (Some(days), Some((_, last))) = (config.retention.days, ledger.span()?) {
        ledger.retain(last.plus(1 - i32::from(days)))?;
    }
    samples::forget_old(&ledger, config.retention.samples_days)?;
    portal(ledger, listener, config, out)?;
    Ok(Done::Well)
}

/// Takes an address, or says who to ask why it is taken.
pub(super) fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).with_context(|| {
        format!("the portal cannot listen on {listen}: if something else does, choose another port with --listen")
    })
}

/// How long those are waited for who only work out what can be worked out again.
const CUT_OFF: Duration = Duration::from_secs(1);

/// Serves the portal, takes in what arrives and learns about sources, until the program is told to stop.
pub(super) fn portal(
    ledger: Ledger,
    listener: TcpListener,
    config: &Config,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ground = Arc::new(Ground::new(config)?);
    let declared = config.organisation.declared()?.domains;
    let ended = runtime.block_on(async {
        let asking = reporters::resolver(&config.reporter)?;
        let judge = reporters::judge(&config.reporter, asking.as_ref());
        finish_what_was_cut_short(&ledger, config, &judge).await?;
        let forgetting = samples::keep_forgetting(ledger.clone(), config.retention.samples_days);
        let notes = Notes::default();
        let learning = enrichment::keep_learning(
            ledger.clone(),
            config.enrichment.clone(),
            config.organisation.clone(),
            notes.clone(),
        );
        let watching = watching::keep_watching(ledger.clone(), config.watch.clone(), declared);
        let looking = lookalikes::keep_looking(ledger.clone(), config.clone());
        let held = directory::Held::new(&config.directory);
        let loading = directory::keep_loaded(held.clone(), config.directory.clone());
        let domains = config.organisation.declared()?.domains;
        let collecting = Collecting::start(ledger.clone(), &config.data, &config.source, judge, domains).await?;
        let judging = keep_judging(ledger.clone(), Arc::clone(&ground));
        let (decided, said) = (ledger.clone(), ledger.clone());
        let inbox: Arc<dyn portal::Inbox> = Arc::new(Uploads { desk: collecting.desk(), ledger: ledger.clone() });
        for (name, address) in collecting.listening() {
            writeln!(out, "The source {name} listens on {address}.")?;
        }
        let telling = arriving::told(&collecting, &config.source);
        let alerting = alerting::keep_alerting(ledger.clone(), config.alerts.clone(), Arc::clone(&telling));
        let program = Program {
            collecting: Some(telling),
            learning: Some(notes.telling()),
            dns: Some(notes.dns(asking)),
            directory: (!config.directory.is_empty()).then(|| held.told()),
            decide: Some(Arc::new(move |new| ground.decide(&decided, new))),
            say: Some(Arc::new(move |new| insight::say(&said, new, super::now()))),
            readiness: config.readiness.clone(),
        };
        let router = portal::router(ledger, portal::Options { address, program, inbox: Some(inbox) });
        writeln!(out, "The portal is open at http://{address}/ (stop it with Ctrl-C).")?;
        out.flush()?;
        let ended = tokio::select! {
            served = portal::serve(listener, router, portal::Limits::default(), told_to_stop()) => served.map_err(anyhow::Error::from),
            () = learning => Ok(()),
            () = looking => Ok(()),
            () = loading => Ok(()),
            () = watching => Ok(()),
            () = judging => Ok(()),
            () = alerting => Ok(()),
            () = forgetting => Ok(()),
            how = collecting.lost() => Err(anyhow::anyhow!("the disk failed while raw copies were brought to it: {how}; start anew, it recovers by itself")),
        };
        collecting.stop().await;
        ended
    });
    // What came in is safe by now. Whoever still judges or looks something up is cut off: it is made anew.
    runtime.shutdown_timeout(CUT_OFF);
    ended
}

/// Takes in what an earlier run kept and did not take in.
async fn finish_what_was_cut_short(ledger: &Ledger, config: &Config, judge: &Arc<dyn Judge>) -> anyhow::Result<()> {
    let (ledger, domains) = (ledger.clone(), config.organisation.declared()?.domains);
    let options = Options { judge: Some(Arc::clone(judge)), domains, ..Options::default() };
    let work = move || {
        let bar = ImportBar::new("Finishing what a stop cut short");
        let done = collect::resume(&ledger, &options, &bar);
        bar.done();
        done
    };
    tokio::task::spawn_blocking(work).await??;
    Ok(())
}

/// Waits for Ctrl-C or SIGTERM.
async fn told_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        },
        Err(_) => drop(interrupt.await),
    }
    #[cfg(not(unix))]
    drop(interrupt.await);
}
