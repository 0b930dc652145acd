//! The encodings of Parquet's integers: runs and packed groups of codes, and packed differences of longs.
//!
//! ```text
//! codes       := (run | packed)*                                            of one width in bits
//! run         := varint(length << 1)  value in whole bytes
//! packed      := varint(groups << 1 | 1)  groups of 8 values, bit after bit, the last one filled up with zeros
//! differences := varint(128) varint(4) varint(count) zigzag(first value)  block*
//! block       := zigzag(least difference)  4 widths in bits, a byte each  4 miniblocks of 32 differences less the least
//! ```

/// Equal values that make a run of their own: what a packed group holds.
const RUN_MIN: usize = 8;
const BLOCK: usize = 128;
const MINIBLOCK: usize = 32;

/// Bits that hold every value up to `max`.
pub fn bits_of(max: u64) -> u32 {
    u64::BITS - max.leading_zeros()
}

/// Appends the codes as runs and packed groups. Each is less than 2 to the power of `bits`, and `bits` is at most 32.
pub fn append_codes(codes: &[u32], bits: u32, out: &mut Vec<u8>) {
    let (mut waiting, mut at) = (0, 0);
    while at < codes.len() {
        let code = codes[at];
        let equal = codes[at..].iter().take_while(|next| **next == code).count();
        // What waits to be packed is filled up to whole groups by the run's first values.
        let fill = (at - waiting).next_multiple_of(8) - (at - waiting);
        if equal >= fill + RUN_MIN {
            append_groups(&codes[waiting..at + fill], bits, out);
            append_run(code, equal - fill, bits, out);
            waiting = at + equal;
        }
        at += equal;
    }
    append_groups(&codes[waiting..], bits, out);
}

/// Appends `length` times the same code.
pub fn append_run(code: u32, length: usize, bits: u32, out: &mut Vec<u8>) {
    append_varint((length as u64) << 1, out);
    out.extend_from_slice(&code.to_le_bytes()[..bits.div_ceil(8) as usize]);
}

fn append_groups(codes: &[u32], bits: u32, out: &mut Vec<u8>) {
    if codes.is_empty() {
        return;
    }
    let groups = codes.len().div_ceil(8);
    append_varint((groups as u64) << 1 | 1, out);
    let filling = std::iter::repeat_n(0, groups * 8 - codes.len());
    append_packed(codes.iter().map(|code| u64::from(*code)).chain(filling), bits, out);
}

/// Appends the longs as packed differences. They may be extremes: differences wrap, as readers' sums do.
pub fn append_differences(longs: &[i64], out: &mut Vec<u8>) {
    for header in [BLOCK, BLOCK / MINIBLOCK, longs.len()] {
        append_varint(header as u64, out);
    }
    append_zigzag(longs.first().copied().unwrap_or(0), out);
    let mut differences = [0_i64; BLOCK];
    for start in (1..longs.len()).step_by(BLOCK) {
        let end = longs.len().min(start + BLOCK);
        for (difference, pair) in differences.iter_mut().zip(longs[start - 1..end].windows(2)) {
            *difference = pair[1].wrapping_sub(pair[0]);
        }
        append_block(&differences[..end - start], out);
    }
}

fn append_block(differences: &[i64], out: &mut Vec<u8>) {
    let least = *differences.iter().min().expect("a block has a difference");
    append_zigzag(least, out);
    let above = |difference: &i64| difference.wrapping_sub(least) as u64;
    let widths = out.len();
    out.resize(widths + BLOCK / MINIBLOCK, 0);
    for (place, miniblock) in differences.chunks(MINIBLOCK).enumerate() {
        let bits = bits_of(miniblock.iter().fold(0, |all, difference| all | above(difference)));
        out[widths + place] = bits as u8;
        let filling = std::iter::repeat_n(0, MINIBLOCK - miniblock.len());
        append_packed(miniblock.iter().map(above).chain(filling), bits, out);
    }
}

/// Appends the values bit after bit, the lowest first. Their number is a multiple of 8, so that they end with a byte.
fn append_packed(values: impl Iterator<Item = u64>, bits: u32, out: &mut Vec<u8>) {
    let (mut held, mut held_bits) = (0_u128, 0);
    for value in values {
        held |= u128::from(value) << held_bits;
        held_bits += bits;
        if held_bits >= u64::BITS {
            out.extend_from_slice(&(held as u64).to_le_bytes());
            held >>= u64::BITS;
            held_bits -= u64::BITS;
        }
    }
    out.extend_from_slice(&held.to_le_bytes()[..held_bits as usize / 8]);
}

fn append_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn append_zigzag(value: i64, out: &mut Vec<u8>) {
    append_varint((value << 1 ^ value >> 63) as u64, out);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Codes as the format's text says, a bit at a time.
    fn naive_codes(bytes: &[u8], bits: u32, count: usize) -> Vec<u32> {
        let (mut codes, mut at) = (Vec::new(), 0);
        while codes.len() < count {
            let (mut header, mut shift) = (0, 0);
            loop {
                header |= usize::from(bytes[at] & 0x7f) << shift;
                shift += 7;
                at += 1;
                if bytes[at - 1] < 0x80 {
                    break;
                }
            }
            let bit = |place: usize| u32::from(bytes[at + place / 8] >> (place % 8) & 1);
            let code_at = |place: usize| (0..bits as usize).map(|number| bit(place + number) << number).sum();
            if header & 1 == 0 {
                codes.extend(std::iter::repeat_n::<u32>(code_at(0), header >> 1));
                at += bits.div_ceil(8) as usize;
            } else {
                codes.extend((0..(header >> 1) * 8).map(|number| code_at(number * bits as usize)));
                at += (header >> 1) * bits as usize;
            }
        }
        assert_eq!(at, bytes.len(), "nothing follows");
        codes.truncate(count);
        codes
    }

    proptest! {
        #[test]
        fn codes_of_any_width_read_back_equal(
            runs in prop::collection::vec((any::<u32>(), prop_oneof![Just(1_usize), 1_usize..30]), 0..60),
            bits in 1_u32..=32,
        ) {
            let codes = runs.iter().flat_map(|(code, length)| std::iter::repeat_n(code >> (32 - bits), *length));
            let codes: Vec<u32> = codes.collect();
            let mut bytes = Vec::new();
            append_codes(&codes, bits, &mut bytes);
            prop_assert_eq!(naive_codes(&bytes, bits, codes.len()), codes);
        }
    }

    #[test]
    fn equal_codes_take_one_run() {
        let mut bytes = Vec::new();
        append_codes(&[300; 100_000], 9, &mut bytes);
        assert_eq!(bytes, [0xc0, 0x9a, 0x0c, 0x2c, 0x01]);
    }
}
