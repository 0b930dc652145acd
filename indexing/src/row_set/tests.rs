//! Row sets against a plain list of booleans.

use proptest::prelude::*;

use super::*;

/// A segment's rows, selected or not.
type Naive = Vec<bool>;

fn naive_rows(selected: &Naive) -> Vec<u32> {
    (0..selected.len() as u32).filter(|&row| selected[row as usize]).collect()
}

fn naive_ranges(selected: &Naive) -> Vec<Range<u32>> {
    let rows = naive_rows(selected);
    let runs = rows.chunk_by(|left, right| left + 1 == *right);
    runs.map(|run| run[0]..run[run.len() - 1] + 1).collect()
}

fn naive_masks(selected: &Naive) -> Vec<BlockMask> {
    let mut masks = vec![[0; 16]; selected.len().div_ceil(BLOCK_ROWS)];
    for row in naive_rows(selected) {
        masks[row as usize / BLOCK_ROWS][row as usize % BLOCK_ROWS / 64] |= 1 << (row % 64);
    }
    masks
}

/// Runs of selected and unselected rows: of one row, of a few, of most of a block, of more than one.
fn selection() -> impl Strategy<Value = Naive> {
    let run = || prop_oneof![Just(1), 1_usize..5, 900_usize..1_100, 1_usize..3_000];
    let shape = (any::<bool>(), prop::collection::vec((run(), run()), 0..12), 0_u8..4);
    let rows = prop_oneof![Just(0_usize), Just(1), Just(1_023), Just(1_024), Just(1_025), 2_000_usize..10_000];
    (shape, rows, any::<u64>()).prop_map(|((first, runs, texture), rows, seed)| {
        let mut selected: Naive = Vec::new();
        for (on, off) in runs.iter().cycle().take(200) {
            selected.extend(std::iter::repeat_n(first, *on).chain(std::iter::repeat_n(!first, *off)));
        }
        selected.resize(rows, false);
        let mut random = seed | 1;
        for value in &mut selected {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            *value = match texture {
                0 => *value,
                1 => *value && random.is_multiple_of(2),
                2 => random.is_multiple_of(100),
                _ => *value && random.is_multiple_of(500),
            };
        }
        selected
    })
}

/// The same rows through every constructor.
fn all_forms(selected: &Naive) -> Vec<RowSet> {
    let row_count = selected.len() as u32;
    let rows = naive_rows(selected);
    let as_form = |form| RowSet { row_count, len: rows.len() as u64, form };
    vec![
        RowSet::from_ranges(row_count, naive_ranges(selected)),
        RowSet::from_sorted_rows(row_count, rows.clone()),
        RowSet::from_masks(row_count, naive_masks(selected)),
        RowSet::from_bitmap(row_count, rows.iter().collect()),
        as_form(Form::Ranges(naive_ranges(selected))),
        as_form(Form::Roaring(rows.iter().collect())),
        as_form(Form::Masks(naive_masks(selected))),
    ]
}

fn assert_is(set: &RowSet, expected: &Naive) {
    assert_eq!(set.row_count() as usize, expected.len());
    assert_eq!(set.len() as usize, expected.iter().filter(|&&selected| selected).count());
    assert!(set.iter().eq(naive_rows(expected)));
    assert!(set.ranges().eq(naive_ranges(expected)));
    assert!((0..expected.len() as u32).all(|row| set.contains(row) == expected[row as usize]));
    assert!(!set.contains(expected.len() as u32) && !set.contains(u32::MAX));
    let blocks: Vec<(usize, BlockRows)> = set.blocks().collect();
    let with_rows = naive_masks(expected).into_iter().enumerate().filter(|(_, mask)| *mask != [0; 16]);
    let block_rows = |block: usize| BLOCK_ROWS.min(expected.len() - block * BLOCK_ROWS);
    assert!(blocks.iter().map(|(block, rows)| (*block, rows.to_mask(block_rows(*block)))).eq(with_rows));
    for (block, rows) in &blocks {
        let runs = words::count(&rows.to_mask(block_rows(*block))).1;
        let simplest = match rows {
            BlockRows::All => rows.len(block_rows(*block)) == block_rows(*block),
            BlockRows::Range(range) => runs == 1 && range.len() < block_rows(*block),
            BlockRows::Mask(_) => runs > 1,
        };
        assert!(simplest, "block {block} is given as {rows:?}");
    }
    let middle = expected.len() / BLOCK_ROWS / 2;
    assert!(set.blocks_in(0..middle).chain(set.blocks_in(middle..usize::MAX)).eq(blocks));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_form_holds_the_rows_it_was_made_of(selected in selection()) {
        for set in all_forms(&selected) {
            assert_is(&set, &selected);
        }
    }

    #[test]
    fn operations_agree_with_booleans_in_every_pair_of_forms(left in selection(), right in selection()) {
        let mut right = right;
        right.resize(left.len(), true);
        let combine = |both: fn(bool, bool) -> bool| -> Naive {
            left.iter().zip(&right).map(|(&left, &right)| both(left, right)).collect()
        };
        let and = combine(|left, right| left && right);
        let or = combine(|left, right| left || right);
        let and_not = combine(|left, right| left && !right);
        let complement: Naive = left.iter().map(|selected| !selected).collect();
        for one in all_forms(&left) {
            assert_is(&one.complement(), &complement);
            for other in all_forms(&right) {
                prop_assert!(one.and(&other).iter().eq(naive_rows(&and)));
                prop_assert!(one.or(&other).iter().eq(naive_rows(&or)));
                prop_assert!(one.and_not(&other).iter().eq(naive_rows(&and_not)));
                prop_assert_eq!(one == other, left == right);
            }
        }
    }

    #[test]
    fn no_result_is_larger_than_masks_or_lists(left in selection(), right in selection()) {
        let mut right = right;
        right.resize(left.len(), false);
        for set in all_forms(&left).iter().zip(all_forms(&right)).map(|(left, right)| left.or(&right)).take(4) {
            let masks = block_count(set.row_count()) * size_of::<BlockMask>();
            let containers = set.row_count() as usize / 65_536 + 1;
            let list = set.len() as usize * 2 + containers * 32;
            // A growing list of ranges may have twice the room it needs.
            prop_assert!(set.bytes() <= masks.min(list).max(RANGES_FREE * 8) * 2, "{} {masks} {list}", set.bytes());
        }
    }
}

#[test]
fn rows_in_any_order_and_beyond_the_end_are_put_right() {
    let set = RowSet::from_ranges(100, vec![50..60, 0..10, 55..70, 70..71, 90..200, 80..80, 150..160]);
    assert!(set.ranges().eq([0..10, 50..71, 90..100]));
    assert!(RowSet::from_sorted_rows(100, vec![7, 3, 7, 100, 99]).iter().eq([3, 7, 99]));
    assert_eq!(RowSet::from_masks(100, vec![[u64::MAX; 16]; 3]), RowSet::all(100));
    assert_eq!(RowSet::from_bitmap(100, (90..200).collect()), RowSet::from_range(100, 90..100));
}

#[test]
fn the_smallest_form_is_chosen() {
    let scattered = |step: usize| RowSet::from_sorted_rows(1_000_000, (0..1_000_000).step_by(step).collect());
    assert!(matches!(scattered(3).form, Form::Masks(_)));
    assert!(matches!(scattered(100).form, Form::Roaring(_)));
    assert!(matches!(scattered(100_000).form, Form::Ranges(_)));
    assert!(matches!(scattered(3).and(&scattered(7)).form, Form::Roaring(_)));
    assert!(matches!(scattered(3).or(&scattered(3).complement()).form, Form::Ranges(_)));
    assert!(matches!(scattered(50).complement().form, Form::Masks(_)));
    assert!(matches!(scattered(100_000).complement().form, Form::Ranges(_)));
}

#[test]
fn a_segment_without_rows_has_all_and_none_of_them() {
    assert!(RowSet::all(0).is_empty() && RowSet::none(0).is_all());
    assert_eq!(RowSet::none(0).complement(), RowSet::all(0));
    assert_eq!(RowSet::from_masks(0, vec![[1; 16]]).blocks().count(), 0);
}

#[test]
#[should_panic(expected = "row sets of one segment")]
fn sets_of_different_segments_do_not_mix() {
    let _ = RowSet::all(10).and(&RowSet::all(11));
}
