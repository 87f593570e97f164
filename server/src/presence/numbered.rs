//! Things that many others refer to: by a number of four bytes instead of by their key.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use slab::Slab;

/// Stands for a key for as long as it is there; afterwards for another one.
pub(super) type Number = u32;

/// Values by key, and each key by its number.
#[derive(Debug)]
pub(super) struct Numbered<K, V> {
    numbers: HashMap<K, Number>,
    entries: Slab<(K, V)>,
}

impl<K, V> Default for Numbered<K, V> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), entries: Slab::new() }
    }
}

impl<K: Clone + Eq + Hash, V: Default> Numbered<K, V> {
    /// The number of the key, which gets one if it has none.
    pub fn enter(&mut self, key: K) -> Number {
        *self.numbers.entry(key).or_insert_with_key(|key| {
            // Memory ends long before the numbers do.
            self.entries.insert((key.clone(), V::default())) as Number
        })
    }

    /// The number of the key, if it has one.
    pub fn number<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<Number>
    where
        K: Borrow<Q>,
    {
        self.numbers.get(key).copied()
    }

    /// What has this number, with its key.
    pub fn entry(&self, number: Number) -> Option<&(K, V)> {
        self.entries.get(number as usize)
    }

    /// The value with this number.
    pub fn value_mut(&mut self, number: Number) -> Option<&mut V> {
        self.entries.get_mut(number as usize).map(|(_, value)| value)
    }

    /// The value of the key.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entry(self.number(key)?).map(|(_, value)| value)
    }

    /// Forgets what has this number.
    pub fn remove(&mut self, number: Number) -> Option<V> {
        let (key, value) = self.entries.try_remove(number as usize)?;
        self.numbers.remove(&key);
        Some(value)
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.iter().map(|(_, (_, value))| value)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }
}
