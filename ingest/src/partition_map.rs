//! What is kept for each stream partition, found quickly for records, which come in runs of one partition.

use henge_segment_store::stream::StreamPartition;

/// Values by partition, in the order of topics and numbers. Looking up the partition of the last look-up is cheap.
#[derive(Debug)]
pub struct PartitionMap<T> {
    entries: Vec<(StreamPartition, T)>,
    last: usize,
}

impl<T> Default for PartitionMap<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), last: 0 }
    }
}

impl<T> PartitionMap<T> {
    /// Where the partition's value is, until a partition is inserted or removed; see [`at`](Self::at).
    pub fn find(&mut self, topic: &str, partition: i32) -> Option<usize> {
        let is_it = |(key, _): &(StreamPartition, T)| key.partition == partition && *key.topic == *topic;
        if self.entries.get(self.last).is_some_and(is_it) {
            return Some(self.last);
        }
        self.last = self.search(topic, partition).ok()?;
        Some(self.last)
    }

    /// The entry that [`find`](Self::find) found.
    pub fn at(&mut self, place: usize) -> (&StreamPartition, &mut T) {
        let (key, value) = &mut self.entries[place];
        (key, value)
    }

    pub fn get(&self, key: &StreamPartition) -> Option<&T> {
        self.search(&key.topic, key.partition).ok().map(|place| &self.entries[place].1)
    }

    pub fn get_mut(&mut self, key: &StreamPartition) -> Option<&mut T> {
        self.search(&key.topic, key.partition).ok().map(|place| &mut self.entries[place].1)
    }

    pub fn contains(&self, key: &StreamPartition) -> bool {
        self.get(key).is_some()
    }

    /// Returns the value that was there.
    pub fn insert(&mut self, key: StreamPartition, value: T) -> Option<T> {
        match self.search(&key.topic, key.partition) {
            Ok(place) => Some(std::mem::replace(&mut self.entries[place].1, value)),
            Err(place) => {
                self.entries.insert(place, (key, value));
                None
            }
        }
    }

    pub fn remove(&mut self, key: &StreamPartition) -> Option<T> {
        let place = self.search(&key.topic, key.partition).ok()?;
        Some(self.entries.remove(place).1)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&StreamPartition, &T)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&StreamPartition, &mut T)> {
        self.entries.iter_mut().map(|(key, value)| (&*key, value))
    }

    fn search(&self, topic: &str, partition: i32) -> Result<usize, usize> {
        self.entries.binary_search_by(|(key, _)| (&*key.topic, key.partition).cmp(&(topic, partition)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(topic: &str, partition: i32) -> StreamPartition {
        StreamPartition { topic: topic.into(), partition }
    }

    #[test]
    fn partitions_of_different_topics_are_told_apart_whatever_was_looked_up_before() {
        let mut map = PartitionMap::default();
        for (topic, partition, value) in [("b", 1, "b1"), ("a", 1, "a1"), ("b", 0, "b0")] {
            assert_eq!(map.insert(key(topic, partition), value), None);
        }
        let mut found = |topic, partition| map.find(topic, partition).map(|place| *map.at(place).1);
        for (topic, partition, expected) in
            [("b", 1, Some("b1")), ("a", 1, Some("a1")), ("a", 1, Some("a1")), ("a", 0, None), ("b", 0, Some("b0"))]
        {
            assert_eq!(found(topic, partition), expected, "{topic} {partition}");
        }
        assert_eq!(map.insert(key("a", 1), "new"), Some("a1"));
        assert_eq!(map.remove(&key("b", 0)), Some("b0"));
        let all: Vec<_> = map.iter().map(|(key, value)| (key.to_string(), *value)).collect();
        assert_eq!(all, [("a[1]".to_owned(), "new"), ("b[1]".to_owned(), "b1")]);
        assert_eq!(map.find("b", 1).map(|place| *map.at(place).1), Some("b1"), "also after others were removed");
    }
}
