//! A report for people: a line for each promise, then what is wrong and what to do.

use std::fmt::Write;

use henge_segment_store::verify::{Check, Checked, Finding, Report, Severity};
use indicatif::{BinaryBytes, HumanCount};
use owo_colors::{OwoColorize, Style};

use crate::cli::visible_text::visible;

/// What a check looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Directory,
    Segments,
}

/// One line of the overview.
struct Promise {
    name: &'static str,
    checks: &'static [Check],
    /// What was looked at.
    extent: String,
}

pub fn render(report: &Report, name: &str, scope: Scope, is_coloured: bool) -> String {
    let mut out = format!("{name}\n");
    for promise in promises(report, scope) {
        promise.write(report, is_coloured, &mut out);
    }
    for finding in &report.findings {
        write_finding(finding, is_coloured, &mut out);
    }
    out
}

fn promises(report: &Report, scope: Scope) -> Vec<Promise> {
    let checked = &report.checked;
    let segments = Promise {
        name: "segments",
        checks: &[Check::SegmentFile, Check::SegmentDigest, Check::SegmentFooter, Check::SegmentRows],
        extent: format!(
            "{}, {}, {} for {}",
            counted(checked.segments, "file"),
            BinaryBytes(checked.bytes),
            counted(checked.rows, "row"),
            counted(checked.events, "event")
        ),
    };
    let serving = Promise {
        name: "serving",
        checks: &[Check::ServingFile, Check::ServingRows],
        extent: format!("{} in the cache, equal to their segments", counted(checked.serving_forms, "form")),
    };
    if scope == Scope::Segments {
        return vec![segments, serving];
    }
    let sources = counted(checked.data_sources, "datasource");
    vec![
        Promise {
            name: "manifest",
            checks: &[Check::ManifestChain, Check::ManifestSnapshot, Check::Writer],
            extent: format!("{}, {}", counted(checked.records, "record"), counted(checked.snapshots, "snapshot")),
        },
        Promise {
            name: "offsets",
            checks: &[Check::Tiling],
            extent: format!("{} of {sources}", counted(checked.partitions, "partition")),
        },
        Promise { name: "ledger", checks: &[Check::Ledger], extent: sources },
        segments,
        serving,
        Promise { name: "files", checks: &[Check::Orphan], extent: waiting(checked) },
    ]
}

fn waiting(checked: &Checked) -> String {
    match checked.retired_files {
        0 => "every one has its record".to_owned(),
        files => format!("{} retired, {}, for the sweep", HumanCount(files), BinaryBytes(checked.retired_bytes)),
    }
}

impl Promise {
    fn write(&self, report: &Report, is_coloured: bool, out: &mut String) {
        let mine = || report.findings.iter().filter(|finding| self.checks.contains(&finding.check));
        let errors = mine().filter(|finding| finding.severity == Severity::Error).count() as u64;
        let warnings = mine().count() as u64 - errors;
        let (mark, style) = match (errors, warnings) {
            (0, 0) => ("✓", Style::new().green()),
            (0, _) => ("!", Style::new().yellow()),
            _ => ("✗", Style::new().red().bold()),
        };
        let bytes: u64 = mine().filter_map(|finding| finding.bytes).sum();
        let found: Vec<String> = [(errors, "error"), (warnings, "warning")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, noun)| counted(count, noun))
            .chain((bytes > 0).then(|| BinaryBytes(bytes).to_string()))
            .collect();
        let found = if found.is_empty() { String::new() } else { format!("; {}", found.join(", ")) };
        let line = format!("{} {:<10}{}{found}", styled(mark, style, is_coloured), self.name, self.extent);
        writeln!(out, "{line}").expect("text takes text");
    }
}

fn write_finding(finding: &Finding, is_coloured: bool, out: &mut String) {
    let (name, style) = match finding.severity {
        Severity::Error => ("error", Style::new().red().bold()),
        Severity::Warning => ("warning", Style::new().yellow()),
    };
    let bytes = finding.bytes.map(|bytes| format!(" ({})", BinaryBytes(bytes))).unwrap_or_default();
    let text = format!(
        "\n{}: {}\n  {}{bytes}\n  to do: {}\n",
        styled(name, style, is_coloured),
        visible(&finding.object),
        visible(&finding.detail),
        finding.advice
    );
    out.push_str(&text);
}

fn styled(text: &str, style: Style, is_coloured: bool) -> String {
    if is_coloured { text.style(style).to_string() } else { text.to_owned() }
}

/// `1 row`, `2,000 rows`.
fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", HumanCount(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let checked = Checked {
            records: 1_204,
            snapshots: 18,
            data_sources: 1,
            partitions: 12,
            segments: 318,
            bytes: 5 << 20,
            rows: 20_000,
            events: 1_000_000,
            serving_forms: 317,
            retired_files: 2,
            retired_bytes: 2_048,
        };
        let finding = |severity, check, object: &str, detail: &str, bytes| Finding {
            severity,
            check,
            object: object.to_owned(),
            detail: detail.to_owned(),
            advice: "do this".to_owned(),
            bytes,
        };
        let findings = vec![
            finding(Severity::Error, Check::SegmentDigest, "usage_1", "its digest is not the manifest's", None),
            finding(Severity::Warning, Check::Orphan, "segments/x", "no manifest record names it", Some(1_536)),
        ];
        Report { checked, findings }
    }

    #[test]
    fn a_report_says_at_a_glance_which_promise_is_broken() {
        let expected = "\
data
✓ manifest  1,204 records, 18 snapshots
✓ offsets   12 partitions of 1 datasource
✓ ledger    1 datasource
✗ segments  318 files, 5.00 MiB, 20,000 rows for 1,000,000 events; 1 error
✓ serving   317 forms in the cache, equal to their segments
! files     2 retired, 2.00 KiB, for the sweep; 1 warning, 1.50 KiB

error: usage_1
  its digest is not the manifest's
  to do: do this

warning: segments/x
  no manifest record names it (1.50 KiB)
  to do: do this
";
        assert_eq!(render(&report(), "data", Scope::Directory, false), expected);
        let alone = render(&report(), "data", Scope::Segments, true);
        assert!(alone.starts_with("data\n\u{1b}[31;1m✗\u{1b}[0m segments  318 files"), "{alone:?}");
    }
}
