//! A map by id, always in the same order for the same history: a simulation must run the same
//! twice.
//!
//! The standard map is made for every key and every load, and would be the largest single piece of
//! the client's download. A small box for each entry also leaves the empty places small.

/// Each entry stands at the place its id hashes to, or else at the next free one.
pub(super) struct ById<T> {
    /// None at all, or a power of two of them that are never all taken.
    places: Vec<Option<Box<(String, T)>>>,
    taken: usize,
}

impl<T> Default for ById<T> {
    fn default() -> Self {
        ById { places: Vec::new(), taken: 0 }
    }
}

impl<T> ById<T> {
    pub(super) fn get(&self, id: &str) -> Option<&T> {
        self.places.get(self.place(id))?.as_deref().map(|(_, value)| value)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        let place = self.place(id);
        self.places.get_mut(place)?.as_deref_mut().map(|(_, value)| value)
    }

    /// The value of this id, which is the default one when there has been none.
    pub(super) fn entry(&mut self, id: &str) -> &mut T
    where
        T: Default,
    {
        if self.taken * 4 >= self.places.len() * 3 {
            self.refill((self.places.len() * 2).max(8), &|_| true);
        }
        let place = self.place(id);
        let place = &mut self.places[place];
        self.taken += usize::from(place.is_none());
        &mut place.get_or_insert_with(|| Box::new((id.to_owned(), T::default()))).1
    }

    pub(super) fn remove(&mut self, id: &str) {
        let mut place = self.place(id);
        if self.places.get_mut(place).and_then(Option::take).is_none() {
            return;
        }
        self.taken -= 1;
        // Those who stand behind may have been on their way to this place.
        loop {
            place = (place + 1) & (self.places.len() - 1);
            let Some(entry) = self.places[place].take() else { break };
            self.put(entry);
        }
    }

    pub(super) fn retain(&mut self, keep: &dyn Fn(&T) -> bool) {
        self.refill(self.places.len(), keep);
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut T)> {
        self.places.iter_mut().flatten().map(|entry| (entry.0.as_str(), &mut entry.1))
    }

    /// Where this id is, or would be.
    fn place(&self, id: &str) -> usize {
        let last = self.places.len().wrapping_sub(1);
        // FNV-1a.
        let hash = id.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let mut place = hash as usize & last;
        while let Some(Some(entry)) = self.places.get(place) {
            if entry.0 == id {
                break;
            }
            place = (place + 1) & last;
        }
        place
    }

    fn put(&mut self, entry: Box<(String, T)>) {
        let place = self.place(&entry.0);
        self.places[place] = Some(entry);
    }

    /// Moves into as many places as these, and leaves behind what is not to be kept.
    fn refill(&mut self, places: usize, keep: &dyn Fn(&T) -> bool) {
        let mut empty = Vec::new();
        empty.resize_with(places, || None);
        self.taken = 0;
        for entry in std::mem::replace(&mut self.places, empty).into_iter().flatten() {
            if keep(&entry.1) {
                self.taken += 1;
                self.put(entry);
            }
        }
    }
}

// proptest does not build for wasm.
#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[derive(Clone, Debug)]
    enum Change {
        Set(u8, u32),
        Remove(u8),
        Retain(u32),
    }

    fn changes() -> impl Strategy<Value = Vec<Change>> {
        let change = prop_oneof![
            4 => (any::<u8>(), any::<u32>()).prop_map(|(id, value)| Change::Set(id, value)),
            3 => any::<u8>().prop_map(Change::Remove),
            1 => (1..5u32).prop_map(Change::Retain),
        ];
        prop::collection::vec(change, 0..600)
    }

    proptest! {
        #[test]
        fn holds_what_the_standard_map_holds(changes in changes()) {
            let mut ours = ById::default();
            let mut theirs = HashMap::new();
            for change in changes {
                match change {
                    Change::Set(id, value) => {
                        *ours.entry(&id.to_string()) = value;
                        theirs.insert(id.to_string(), value);
                    }
                    Change::Remove(id) => {
                        ours.remove(&id.to_string());
                        theirs.remove(&id.to_string());
                    }
                    Change::Retain(divisor) => {
                        ours.retain(&|value| value % divisor == 0);
                        theirs.retain(|_, value| *value % divisor == 0);
                    }
                }
            }
            for id in 0..=u8::MAX {
                prop_assert_eq!(ours.get(&id.to_string()), theirs.get(&id.to_string()));
            }
            prop_assert_eq!(ours.iter_mut().count(), theirs.len());
        }
    }
}
