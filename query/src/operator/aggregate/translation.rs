//! What the codes that an accumulator keeps are called beyond their segment.

use henge_segment_store::sketch::SketchKind;

use super::AggregateFunction;
use super::accumulator::{CodeHashes, Translation};
use super::names::Names;

/// What the aggregate needs to know of each code up to the last of them.
pub(super) fn translation(function: &AggregateFunction, names: &Names, codes: &[u32], numbers: &[u32]) -> Translation {
    let kind = match function {
        AggregateFunction::Sketch(call, _) => Some(call.kind),
        _ => None,
    };
    match kind {
        Some(SketchKind::Hll { .. }) => {
            Translation::Hashes(CodeHashes::Hll(by_code(codes, &names.hll_hashes(numbers), None)))
        }
        Some(SketchKind::Theta { .. }) => {
            Translation::Hashes(CodeHashes::Theta(by_code(codes, &names.theta_hashes(numbers), None)))
        }
        Some(SketchKind::Quantiles { .. }) | None => Translation::Numbers(by_code(codes, numbers, 0)),
    }
}

/// `known`: of each of the codes, which ascend.
pub(super) fn by_code<T: Copy>(codes: &[u32], known: &[T], unknown: T) -> Vec<T> {
    let mut by_code = vec![unknown; codes.last().map_or(0, |code| *code as usize + 1)];
    codes.iter().zip(known).for_each(|(code, known)| by_code[*code as usize] = *known);
    by_code
}
