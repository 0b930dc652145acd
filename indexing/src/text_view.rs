//! Strings as views: 16 bytes that hold a short string whole, and of a longer one its length, first bytes and place.
//!
//! The layout is that of Arrow's columnar format, "Variable-size Binary View Layout", little-endian:
//!
//! | bytes | a string of at most 12 bytes | a longer one |
//! |---|---|---|
//! | 0..4 | length | length |
//! | 4..8 | the text, zeros behind it | the first four bytes |
//! | 8..12 | | number of the block |
//! | 12..16 | | where it starts there |

/// A string's view; see the module.
pub type View = [u8; 16];

/// Longer strings lie in a block.
pub(crate) const INLINE_BYTES_MAX: usize = 12;
/// Length and first bytes: what of a longer string's view does not say where it lies.
const HEAD_BITS: u32 = 64;

/// The view of a short string; of a longer one its length and first bytes, and zeros.
#[inline]
pub(crate) fn head(text: &[u8]) -> u128 {
    let length = text.len() as u128;
    let half = |at: usize| u128::from(u32::from_le_bytes([text[at], text[at + 1], text[at + 2], text[at + 3]]));
    let word = |at: usize| half(at) | (half(at + 4) << 32);
    let bytes = match text.len() {
        0 => 0,
        1..=3 => {
            let byte = |at: usize| u128::from(text[at]) << (8 * at);
            byte(0) | byte(text.len() / 2) | byte(text.len() - 1)
        }
        // The last bytes are read again where the length is no multiple of four, and land where they are already.
        4..=7 => half(0) | (half(text.len() - 4) << (8 * (text.len() - 4))),
        8..=INLINE_BYTES_MAX => word(0) | (half(text.len() - 4) << (8 * (text.len() - 4))),
        _ => half(0),
    };
    length | (bytes << 32)
}

/// The view of a string with this head, where it is longer than a view at this place.
pub(crate) fn placed(head: u128, block: u32, byte_offset: u32) -> View {
    let place = u128::from(block) | (u128::from(byte_offset) << 32);
    let is_inline = length(head) <= INLINE_BYTES_MAX;
    (if is_inline { head } else { head | (place << HEAD_BITS) }).to_le_bytes()
}

/// Whether a view may be of a string with this head: is, if the string is short.
#[inline]
pub(crate) fn has_head(view: &View, head: u128) -> bool {
    let view = u128::from_le_bytes(*view);
    let is_inline = length(head) <= INLINE_BYTES_MAX;
    view == head || (!is_inline && view << HEAD_BITS == head << HEAD_BITS)
}

#[inline]
pub(crate) fn length(head: u128) -> usize {
    head as u32 as usize
}

/// Block and first byte of a longer string.
#[inline]
pub(crate) fn place(view: &View) -> (usize, usize) {
    let place = (u128::from_le_bytes(*view) >> HEAD_BITS) as u64;
    (place as u32 as usize, (place >> 32) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_length_and_text_for_every_short_length_and_the_first_bytes_beyond() {
        let text = b"\x01\xffabcdefghijklmnop";
        for end in 0..=text.len() {
            let text = &text[..end];
            let mut expected = [0_u8; 16];
            expected[..4].copy_from_slice(&(end as u32).to_le_bytes());
            let kept = if end <= INLINE_BYTES_MAX { text } else { &text[..4] };
            expected[4..4 + kept.len()].copy_from_slice(kept);
            assert_eq!(head(text).to_le_bytes(), expected, "{end} bytes");
            let view = placed(head(text), 7, 9);
            assert!(has_head(&view, head(text)));
            assert!(!has_head(&view, head(b"\x01\xffabcdefghij")) || end == 12);
            if end > INLINE_BYTES_MAX {
                assert_eq!(place(&view), (7, 9));
            }
        }
    }
}
