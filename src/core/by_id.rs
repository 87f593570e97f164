//! A map by id, always in the same order for the same history: a simulation must run the same
//! twice.
//!
//! The standard map is made for every key and every load, and would be the largest single piece of
//! the client's download. It also copies all its entries to grow, and what a page needs for a moment
//! it keeps, for the memory of a wasm never shrinks. Here only a table of numbers is made anew.

use std::ops::Range;

/// Where an entry stands for as long as it is there; afterwards it may be another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(u32);

const NOWHERE: Place = Place(u32::MAX);

/// How many entries are allocated at once.
const PAGE: usize = 64;

struct Page<T> {
    /// Those of all entries, one after the other: allocated one by one, each would take some 20 bytes more.
    ids: String,
    /// Where in them the id of each ends. Who is vacant has none.
    ends: [usize; PAGE],
    values: [Option<T>; PAGE],
}

impl<T> Page<T> {
    fn new() -> Self {
        Page { ids: String::new(), ends: [0; PAGE], values: [const { None }; PAGE] }
    }

    fn range(&self, index: usize) -> Range<usize> {
        index.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[index]
    }

    fn get(&self, index: usize) -> Option<(&str, &T)> {
        Some((self.ids.get(self.range(index)).unwrap_or_default(), self.values[index].as_ref()?))
    }

    fn get_mut(&mut self, index: usize) -> Option<(&str, &mut T)> {
        let range = self.range(index);
        Some((self.ids.get(range).unwrap_or_default(), self.values[index].as_mut()?))
    }

    fn set(&mut self, index: usize, id: &str, value: Option<T>) {
        let range = self.range(index);
        // No longer than it has to be.
        let mut ids = String::with_capacity(self.ids.len() - range.len() + id.len());
        ids.push_str(self.ids.get(..range.start).unwrap_or_default());
        ids.push_str(id);
        ids.push_str(self.ids.get(range.end..).unwrap_or_default());
        self.ids = ids;
        for end in &mut self.ends[index..] {
            *end = *end - range.len() + id.len();
        }
        self.values[index] = value;
    }
}

pub(super) struct ById<T> {
    pages: Vec<Box<Page<T>>>,
    /// All before this one are taken.
    vacant: Place,
    /// Each entry's place is where its id hashes to, or else at the next position that is empty.
    /// None at all, or a power of two of them that are never all taken.
    table: Vec<Place>,
}

impl<T> Default for ById<T> {
    fn default() -> Self {
        ById { pages: Vec::new(), vacant: Place(0), table: Vec::new() }
    }
}

impl<T> ById<T> {
    /// Nowhere, if it is not there.
    pub(super) fn find(&self, id: &str) -> Place {
        self.table.get(self.position(id)).copied().unwrap_or(NOWHERE)
    }

    pub(super) fn get(&self, Place(place): Place) -> Option<(&str, &T)> {
        self.pages.get(place as usize / PAGE)?.get(place as usize % PAGE)
    }

    pub(super) fn get_mut(&mut self, Place(place): Place) -> Option<(&str, &mut T)> {
        self.pages.get_mut(place as usize / PAGE)?.get_mut(place as usize % PAGE)
    }

    /// Where this id is from now on, with the default value when it has not been there.
    pub(super) fn insert(&mut self, id: &str) -> Place
    where
        T: Default,
    {
        let mut place = self.find(id);
        if place == NOWHERE {
            place = self.take_vacant();
            self.set(place, id, Some(T::default()));
            self.put(place);
        }
        place
    }

    pub(super) fn remove(&mut self, place: Place) {
        let Some((id, _)) = self.get(place) else { return };
        let mut position = self.position(id);
        self.table[position] = NOWHERE;
        // Those that stand behind may have been on their way to this position.
        loop {
            position = (position + 1) & (self.table.len() - 1);
            let other = std::mem::replace(&mut self.table[position], NOWHERE);
            if other == NOWHERE {
                break;
            }
            self.put(other);
        }
        self.vacant = self.vacant.min(place);
        self.set(place, "", None);
    }

    /// All of them, in this order.
    pub(super) fn each(&mut self, visit: &mut dyn FnMut(Place, &str, &mut T)) {
        for place in self.places() {
            if let Some((id, value)) = self.get_mut(place) {
                visit(place, id, value);
            }
        }
    }

    pub(super) fn retain(&mut self, keep: &dyn Fn(&T) -> bool) {
        for place in self.places() {
            if self.get(place).is_some_and(|(_, value)| !keep(value)) {
                self.remove(place);
            }
        }
    }

    // --- The table ----------------------------------------------------------------------------

    /// Where this id's place is, or would be.
    fn position(&self, id: &str) -> usize {
        let last = self.table.len().wrapping_sub(1);
        // FNV-1a.
        let hash = id.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let mut position = hash as usize & last;
        while let Some(place) = self.table.get(position) {
            match self.get(*place) {
                Some((other, _)) if other != id => position = (position + 1) & last,
                _ => break,
            }
        }
        position
    }

    fn put(&mut self, place: Place) {
        if let Some((id, _)) = self.get(place) {
            let position = self.position(id);
            self.table[position] = place;
        }
    }

    // --- The pages ----------------------------------------------------------------------------

    /// All that there are, vacant ones too.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> + use<T> {
        (0..(self.pages.len() * PAGE) as u32).map(Place)
    }

    fn set(&mut self, Place(place): Place, id: &str, value: Option<T>) {
        if let Some(page) = self.pages.get_mut(place as usize / PAGE) {
            page.set(place as usize % PAGE, id, value);
        }
    }

    fn take_vacant(&mut self) -> Place {
        while self.get(self.vacant).is_some() {
            self.vacant.0 += 1;
        }
        if self.vacant.0 as usize == self.pages.len() * PAGE {
            self.add_page();
        }
        self.vacant
    }

    fn add_page(&mut self) {
        self.pages.push(Box::new(Page::new()));
        if self.pages.len() * PAGE * 4 > self.table.len() * 3 {
            let positions = (self.table.len() * 2).max(PAGE * 2);
            self.table = Vec::new();
            self.table.resize(positions, NOWHERE);
            for place in self.places() {
                self.put(place);
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
                        let place = ours.insert(&id.to_string());
                        *ours.get_mut(place).unwrap().1 = value;
                        theirs.insert(id.to_string(), value);
                    }
                    Change::Remove(id) => {
                        ours.remove(ours.find(&id.to_string()));
                        theirs.remove(&id.to_string());
                    }
                    Change::Retain(divisor) => {
                        ours.retain(&|value| value % divisor == 0);
                        theirs.retain(|_, value| *value % divisor == 0);
                    }
                }
            }
            for id in 0..=u8::MAX {
                let id = id.to_string();
                let found = ours.get(ours.find(&id));
                prop_assert_eq!(found, theirs.get_key_value(&id).map(|(id, value)| (id.as_str(), value)));
            }
            let mut count = 0;
            ours.each(&mut |_, _, _| count += 1);
            prop_assert_eq!(count, theirs.len());
        }
    }
}
