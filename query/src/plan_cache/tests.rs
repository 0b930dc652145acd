use super::*;

fn is_known(cache: &PlanCache, key: &str) -> bool {
    cache.get(key).is_some()
}

#[test]
fn the_entry_that_was_not_asked_for_longest_makes_room() {
    let cache = PlanCache::default();
    for number in 0..ENTRIES_MAX {
        cache.insert(number.to_string(), Known::ByValue);
        assert!(is_known(&cache, "0"));
    }
    cache.insert("one more".to_owned(), Known::ByValue);
    assert!(is_known(&cache, "0") && is_known(&cache, "one more") && !is_known(&cache, "1"));
    assert_eq!(cache.figures().entries, ENTRIES_MAX);
}

#[test]
fn bytes_are_bounded_and_given_back() {
    let cache = PlanCache::default();
    let key = |number: usize| number.to_string() + &"x".repeat(ENTRY_BYTES_MAX / 2);
    for number in 0..2 * BYTES_MAX / ENTRY_BYTES_MAX + 3 {
        cache.insert(key(number), Known::ByValue);
        cache.insert(key(number), Known::ByValue);
        assert!(cache.figures().bytes <= BYTES_MAX);
    }
    let figures = cache.figures();
    assert!(!is_known(&cache, &key(0)) && figures.bytes > BYTES_MAX - ENTRY_BYTES_MAX, "{figures:?}");
    cache.insert("x".repeat(ENTRY_BYTES_MAX), Known::ByValue);
    assert_eq!(cache.figures(), figures);
    for number in 0..2 * BYTES_MAX / ENTRY_BYTES_MAX + 3 {
        cache.remove(&key(number));
    }
    assert_eq!((cache.figures().entries, cache.figures().bytes), (0, 0));
}
