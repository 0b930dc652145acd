//! Makes the checksums of damaged files right, so that what lies behind them is read.

use bytes::Bytes;

use super::footer::{Footer, SectionPlace, TRAILER_BYTES, append_encoded};

/// The file with a trailer that is right for the footer before it. What is too short stays as it is.
pub(crate) fn footer_repaired(file: &[u8]) -> Vec<u8> {
    let Some((mut sections, footer)) = parts(file) else { return file.to_vec() };
    append_encoded(&footer, &mut sections);
    sections
}

/// The file with every checksum right. Where the footer cannot be read, only its own is.
pub(crate) fn sections_repaired(file: &[u8]) -> Vec<u8> {
    let file = Bytes::from(footer_repaired(file));
    let (Some((mut sections, _)), Ok(mut footer)) = (parts(&file), Footer::read(&file)) else { return file.into() };
    repair(&mut footer.times, &file);
    for column in &mut footer.columns {
        repair(&mut column.values, &file);
        if let Some(text) = &mut column.text {
            repair(&mut text.dictionary, &file);
            repair(&mut text.index, &file);
        }
    }
    footer.append_to(&mut sections);
    sections
}

/// What lies before the footer, and the footer.
fn parts(file: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (before, trailer) = file.split_at_checked(file.len().checked_sub(TRAILER_BYTES)?)?;
    let footer_bytes = u32::from_le_bytes(*trailer[12..].first_chunk()?) as usize;
    let (sections, footer) = before.split_at_checked(before.len().checked_sub(footer_bytes)?)?;
    Some((sections.to_vec(), footer.to_vec()))
}

fn repair(place: &mut SectionPlace, file: &[u8]) {
    let end = place.byte_offset.saturating_add(place.bytes);
    if end <= file.len() as u64 {
        *place = SectionPlace::new(place.byte_offset as usize, &file[place.byte_offset as usize..end as usize]);
    }
}
