/// Which of some sources has the least current item; the comparison is the caller's, since only it knows the items.
#[derive(Debug)]
pub struct Heap {
    /// Numbers of sources; none is less than the one at half its place.
    sources: Vec<usize>,
}

impl Heap {
    /// All of `0..count`.
    pub fn new(count: usize, is_less: impl Fn(usize, usize) -> bool) -> Self {
        let mut heap = Self { sources: (0..count).collect() };
        for at in (0..count / 2).rev() {
            heap.sink_from(at, &is_less);
        }
        heap
    }

    /// `None` once all are removed.
    pub fn least(&self) -> Option<usize> {
        self.sources.first().copied()
    }

    /// The least source has moved on to a greater item.
    pub fn sink(&mut self, is_less: impl Fn(usize, usize) -> bool) {
        self.sink_from(0, &is_less);
    }

    /// The least source has no more items.
    pub fn remove(&mut self, is_less: impl Fn(usize, usize) -> bool) {
        self.sources.swap_remove(0);
        self.sink_from(0, &is_less);
    }

    fn sink_from(&mut self, mut at: usize, is_less: &impl Fn(usize, usize) -> bool) {
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let mut least = at;
            for child in [left, right] {
                if child < self.sources.len() && is_less(self.sources[child], self.sources[least]) {
                    least = child;
                }
            }
            if least == at {
                return;
            }
            self.sources.swap(at, least);
            at = least;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sources_are_merged_in_order(mut sources in prop::collection::vec(prop::collection::vec(0..50_u32, 1..9), 0..9)) {
            sources.iter_mut().for_each(|source| source.sort_unstable());
            let mut expected: Vec<u32> = sources.concat();
            expected.sort_unstable();
            let mut places = vec![0; sources.len()];
            let mut merged = Vec::new();
            let mut heap = Heap::new(sources.len(), |left, right| sources[left][0] < sources[right][0]);
            while let Some(least) = heap.least() {
                merged.push(sources[least][places[least]]);
                places[least] += 1;
                let is_less = |left: usize, right: usize| sources[left][places[left]] < sources[right][places[right]];
                match places[least] < sources[least].len() {
                    true => heap.sink(is_less),
                    false => heap.remove(is_less),
                }
            }
            prop_assert_eq!(merged, expected);
        }
    }
}
