//! One look into a bucket: what is new in it, fetching that, several at a time, and acknowledging what is kept.
//!
//! A page of keys is dealt with before the next one is asked for, so memory does not grow with the bucket. An object that cannot be
//! dealt with is said to be so and holds up no other; when the server is in trouble the look ends and another one comes later.

use std::sync::{Arc, MutexGuard, PoisonError};

use tokio::task::JoinSet;

use super::client::{Fault, Object};
use super::taken::{Mark, Taken, mark};
use super::{After, Source};
use crate::desk::KeepError;
use crate::health::{Activity, Mishap};

/// Objects fetched at the same time: reports are small, and most of the time is waiting for the server and for the disk.
const AT_ONCE: usize = 8;

/// Characters of a tag that tell a key from one that is taken.
const TAG_CHARS: usize = 8;

/// Looks once.
pub(super) async fn look(source: Arc<Source>) -> Result<(), String> {
    let board = source.context.board.clone();
    source.taken().begin();
    let (mut from, mut trouble) = (None, None);
    loop {
        let page = match source.client.list(from.as_deref()).await {
            Ok(page) => page,
            Err(Fault::Object(what) | Fault::Source(what)) => return Err(what),
            Err(Fault::Gone) => return Err("the bucket is gone".to_owned()),
        };
        let objects: Vec<Object> = page.objects.into_iter().filter(|object| source.is_new(object)).collect();
        board.reached(Activity::Working, Some(objects.len() as u64));
        // Of those that fail, the first is told of: the others mostly fail alike.
        trouble = trouble.or(take_all(&source, objects).await?);
        if page.next.is_some() && page.next == from {
            return Err("the server begins the same page of its list again and again".to_owned());
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    source.taken().end()?;
    if let Some(what) = trouble {
        return Err(what);
    }
    board.reached(Activity::Waiting, Some(0));
    Ok(())
}

/// Takes objects. The outer error ends the look; the inner one is of an object that stays behind.
async fn take_all(source: &Arc<Source>, objects: Vec<Object>) -> Result<Option<String>, String> {
    let mut left = objects.len() as u64;
    let (mut under_way, mut trouble) = (JoinSet::new(), None);
    let mut objects = objects.into_iter();
    loop {
        while under_way.len() < AT_ONCE
            && let Some(object) = objects.next()
        {
            source.context.desk.room().await;
            let source = source.clone();
            under_way.spawn(async move {
                let taken = source.take(&object).await;
                (object.key, taken)
            });
        }
        let Some(ended) = under_way.join_next().await else { return Ok(trouble) };
        let (key, taken) = ended.map_err(|error| format!("a defect of this program was met: {error}"))?;
        match taken {
            Ok(()) | Err(Fault::Gone) => {}
            Err(Fault::Object(what)) => trouble = trouble.or(Some(format!("{key}: {what}"))),
            Err(Fault::Source(what)) => return Err(what),
        }
        left -= 1;
        source.context.board.reached(Activity::Working, Some(left));
    }
}

impl Source {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Every change is complete before anything can panic.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark(&self, object: &Object) -> Mark {
        mark(self.client.place(), &object.key, &object.tag, object.size)
    }

    /// Whether an object is to be taken.
    fn is_new(&self, object: &Object) -> bool {
        let settings = &self.settings;
        // What was moved lies below the prefix where that is short; what ends with a slash and is empty is a folder in a console.
        if settings.after == After::Move && object.key.starts_with(&settings.done)
            || object.size == 0 && object.key.ends_with('/')
            || self.taken().has(self.mark(object))
        {
            return false;
        }
        let max = settings.object_bytes_max;
        let why = if !is_path(&object.key) {
            "its key is none that can be asked for".to_owned()
        } else if object.size > max {
            format!("{} bytes, more than {max}", object.size)
        } else {
            return true;
        };
        self.put_aside(object, &why);
        false
    }

    /// An object is not taken, and not looked at again before the next start.
    fn put_aside(&self, object: &Object, why: &str) {
        self.taken().pass_over(self.mark(object));
        self.context.board.refused(Mishap::now(format!("{}: {why}", object.key)));
    }

    /// Fetches an object, keeps it, and then acknowledges it.
    async fn take(&self, object: &Object) -> Result<(), Fault> {
        let mut body = self.client.get(&object.key).await?;
        let context = &self.context;
        let place = format!("{}/{}", self.settings.bucket, object.key);
        let origin = if self.settings.mail { context.origin_of("s3-mail", place) } else { context.origin(place) };
        let mut arrival = context.desk.arrival(origin);
        let failed = |error: KeepError| match error {
            KeepError::Item(what) => Fault::Object(what),
            other => Fault::Source(other.to_string()),
        };
        while let Some(piece) = self.client.piece(&mut body).await? {
            let max = self.settings.object_bytes_max;
            if arrival.size() + piece.len() as u64 > max {
                self.put_aside(object, &format!("more than {max} bytes, whatever the list says"));
                return Ok(());
            }
            arrival.write(&piece).await.map_err(failed)?;
        }
        let same = body.tag.as_ref().is_none_or(|tag| *tag == object.tag);
        let announced = body.size.or(same.then_some(object.size));
        if let Some(announced) = announced
            && announced != arrival.size()
        {
            return Err(Fault::Source(format!("{}: {} bytes came of {announced}", object.key, arrival.size())));
        }
        self.client.read(body);
        let receipt = arrival.finish().await.map_err(failed)?;
        context.board.kept(&[receipt]);
        // Another one stands in its place since it was listed: that one was kept, and the next look finds out what to do with it.
        if same { self.acknowledge(object).await } else { Ok(()) }
    }

    /// The object is on disk: it goes where it is told to go.
    async fn acknowledge(&self, object: &Object) -> Result<(), Fault> {
        if self.settings.after == After::Leave {
            return self.taken().note(self.mark(object)).map_err(Fault::Source);
        }
        if self.settings.after == After::Move {
            let rest = object.key.strip_prefix(&self.settings.prefix).unwrap_or(&object.key);
            self.copy(object, &format!("{}{rest}", self.settings.done)).await?;
        }
        // What was put in its place meanwhile is not ours to delete.
        match self.client.tag(&object.key).await? {
            Some(tag) if tag.is_empty() || tag == object.tag => self.client.delete(&object.key).await,
            _ => Ok(()),
        }
    }

    /// Copies an object. Another one of the same key that was moved before stays.
    async fn copy(&self, object: &Object, to: &str) -> Result<(), Fault> {
        match self.client.tag(to).await? {
            None => self.client.copy(&object.key, &object.tag, to).await,
            // Copied, and then something kept it from being deleted.
            Some(tag) if tag == object.tag => Ok(()),
            Some(_) => {
                let short: String = object.tag.chars().filter(char::is_ascii_alphanumeric).take(TAG_CHARS).collect();
                self.client.copy(&object.key, &object.tag, &format!("{to}.{short}")).await
            }
        }
    }
}

/// Whether a key can be the path of a URL: segments of dots lead elsewhere.
fn is_path(key: &str) -> bool {
    !key.is_empty() && !key.split('/').any(|segment| segment == "." || segment == "..")
}
