//! Ascending ranges that do not touch, as sets of rows.

use std::ops::Range;

use roaring::RoaringBitmap;

/// The same rows below `row_count` in ascending ranges, none empty, no two touching.
pub(super) fn normalized(mut ranges: Vec<Range<u32>>, row_count: u32) -> Vec<Range<u32>> {
    let in_order = ranges.is_sorted_by(|left, right| left.end < right.start);
    if in_order && ranges.iter().all(|range| range.start < range.end && range.end <= row_count) {
        return ranges;
    }
    ranges.iter_mut().for_each(|range| range.end = range.end.min(row_count));
    ranges.retain(|range| range.start < range.end);
    ranges.sort_unstable_by_key(|range| range.start);
    ranges.dedup_by(|next, last| {
        let touches = next.start <= last.end;
        if touches {
            last.end = last.end.max(next.end);
        }
        touches
    });
    ranges
}

/// The ranges of a compressed bitmap, whose greatest row is below `u32::MAX`.
pub(super) fn of_bitmap(rows: &RoaringBitmap) -> BitmapRanges<'_> {
    BitmapRanges { has_runs: rows.statistics().n_run_containers > 0, rows: rows.iter(), ahead: None }
}

pub(super) struct BitmapRanges<'a> {
    rows: roaring::bitmap::Iter<'a>,
    /// Where runs are kept as such they are taken whole. Elsewhere most ranges are short, and looking for their ends takes
    /// longer than walking there.
    has_runs: bool,
    /// The row after the last range, if that has been reached.
    ahead: Option<u32>,
}

impl Iterator for BitmapRanges<'_> {
    type Item = Range<u32>;

    fn next(&mut self) -> Option<Range<u32>> {
        if self.has_runs {
            return self.rows.next_range().map(|range| *range.start()..range.end() + 1);
        }
        let start = self.ahead.take().or_else(|| self.rows.next())?;
        let mut end = start + 1;
        for row in &mut self.rows {
            if row != end {
                self.ahead = Some(row);
                break;
            }
            end += 1;
        }
        Some(start..end)
    }
}

/// Rows of both.
pub(super) fn intersection(left: &[Range<u32>], right: &[Range<u32>]) -> Vec<Range<u32>> {
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    let mut both = Vec::new();
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        let common = one.start.max(other.start)..one.end.min(other.end);
        if one.end < other.end {
            left.next();
        } else {
            right.next();
        }
        if !common.is_empty() {
            both.push(common);
        }
    }
    both
}

/// Rows of either. Neighbouring ranges may touch.
pub(super) fn union(left: &[Range<u32>], right: impl Iterator<Item = Range<u32>>) -> Vec<Range<u32>> {
    let (mut left, mut right) = (left.iter().cloned().peekable(), right.peekable());
    let mut either: Vec<Range<u32>> = Vec::new();
    loop {
        let from_left = match (left.peek(), right.peek()) {
            (None, None) => return either,
            (Some(one), Some(other)) => one.start < other.start,
            (one, _) => one.is_some(),
        };
        let Some(next) = (if from_left { left.next() } else { right.next() }) else { return either };
        match either.last_mut() {
            Some(last) if next.start <= last.end => last.end = last.end.max(next.end),
            _ => either.push(next),
        }
    }
}

/// Rows of `left` that are not in `right`.
pub(super) fn difference(left: &[Range<u32>], right: impl Iterator<Item = Range<u32>>) -> Vec<Range<u32>> {
    let mut right = right.peekable();
    let mut rest = Vec::new();
    for range in left {
        let mut start = range.start;
        while let Some(gap) = right.peek().filter(|gap| gap.start < range.end) {
            if start < gap.start {
                rest.push(start..gap.start);
            }
            start = start.max(gap.end);
            // A gap that reaches past this range may reach into the next one.
            if gap.end > range.end {
                break;
            }
            right.next();
        }
        if start < range.end {
            rest.push(start..range.end);
        }
    }
    rest
}
