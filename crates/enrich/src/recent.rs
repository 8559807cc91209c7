//! What was there lately, in bounded memory: two generations, of which the older one goes when the younger one is full.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// A map that forgets what was not asked for lately: between `max` and twice as many entries stay.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    max: usize,
    generations: Mutex<[HashMap<K, V>; 2]>,
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    pub(crate) fn new(max: usize) -> Self {
        Self { max: max.max(1), generations: Mutex::new([HashMap::new(), HashMap::new()]) }
    }

    /// What is kept under a key, if it is still good; else what `make` makes, which is then kept.
    pub(crate) fn get_or(&self, key: K, good: impl FnOnce(&V) -> bool, make: impl FnOnce() -> V) -> V {
        // A panic elsewhere left whole entries: there is nothing half done in a map.
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let [young, old] = &mut *generations;
        let kept = young.get(&key).cloned().or_else(|| old.remove(&key));
        let value = kept.filter(good).unwrap_or_else(make);
        if young.len() >= self.max && !young.contains_key(&key) {
            *old = std::mem::take(young);
        }
        young.insert(key, value.clone());
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_what_is_used_stays() {
        let recent = Recent::new(10);
        for n in 0..1_000 {
            assert_eq!(recent.get_or(n, |_| true, || n), n, "made");
            assert_eq!(recent.get_or(n, |_| true, || -1), n, "kept");
            assert_eq!(recent.get_or(0, |_| true, || -1), 0, "asked for again and again");
            assert!(recent.generations.lock().unwrap().iter().map(HashMap::len).sum::<usize>() <= 20);
        }
        assert_eq!(recent.get_or(3, |_| true, || -1), -1, "forgotten");
        assert_eq!(recent.get_or(999, |_| false, || 7), 7, "no longer good");
        assert_eq!(recent.get_or(999, |_| true, || -1), 7);
    }
}
