//! The two texts that scrapers read, sample by sample.

use std::io::Write;

use axum::http::{HeaderMap, header};
use henge_segment_store::time::TimestampMs;

/// How samples are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// Prometheus' text format 0.0.4; times are milliseconds.
    Prometheus,
    /// OpenMetrics 1.0; times are seconds, and an end says that nothing is missing.
    OpenMetrics,
}

const OPEN_METRICS: &str = "application/openmetrics-text";

impl Syntax {
    /// What the client likes best.
    pub fn accepted(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let (mut open, mut plain) = (0.0_f64, 0.0_f64);
        for item in values.flat_map(|value| value.split(',')) {
            let mut parts = item.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |text| text.parse().ok());
            let weight = weight.unwrap_or(0.0);
            match kind {
                OPEN_METRICS => open = open.max(weight),
                "text/plain" | "text/*" => plain = plain.max(weight),
                _ => {}
            }
        }
        if open > plain { Self::OpenMetrics } else { Self::Prometheus }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// A text while it is written.
#[derive(Debug)]
pub struct ExportText {
    syntax: Syntax,
    out: Vec<u8>,
}

impl ExportText {
    pub fn new(syntax: Syntax) -> Self {
        Self { syntax, out: Vec::new() }
    }

    /// Begins the samples of one name. Deltas are gauges to scrapers too: they do not go on from one minute to the next.
    pub fn family(&mut self, name: &str, help: &str) {
        self.put(&[b"# HELP ", name.as_bytes(), b" "]);
        self.escaped(help, self.syntax == Syntax::OpenMetrics);
        self.put(&[b"\n# TYPE ", name.as_bytes(), b" gauge\n"]);
    }

    /// `labels`: names and values; one without a value is none.
    pub fn sample<'l>(
        &mut self,
        name: &str,
        labels: impl IntoIterator<Item = (&'l str, &'l str)>,
        value: &str,
        time: Option<TimestampMs>,
    ) {
        self.put(&[name.as_bytes()]);
        let mut opening: &[u8] = b"{";
        for (label, text) in labels.into_iter().filter(|(_, text)| !text.is_empty()) {
            self.put(&[opening, label.as_bytes(), b"=\""]);
            self.escaped(text, true);
            self.put(&[b"\""]);
            opening = b",";
        }
        self.put(&[if opening == b"{" { b" ".as_slice() } else { b"} " }, value.as_bytes()]);
        if let Some(time) = time {
            let written = match self.syntax {
                Syntax::Prometheus => write!(self.out, " {}", time.0),
                Syntax::OpenMetrics => {
                    write!(self.out, " {}.{:03}", time.0.div_euclid(1_000), time.0.rem_euclid(1_000))
                }
            };
            written.expect("writing to memory cannot fail");
        }
        self.put(&[b"\n"]);
    }

    pub fn finish(mut self) -> Vec<u8> {
        if self.syntax == Syntax::OpenMetrics {
            self.put(&[b"# EOF\n"]);
        }
        self.out
    }

    fn put(&mut self, pieces: &[&[u8]]) {
        pieces.iter().for_each(|piece| self.out.extend_from_slice(piece));
    }

    fn escaped(&mut self, text: &str, quotes: bool) {
        for byte in text.bytes() {
            match byte {
                b'\\' => self.put(&[b"\\\\"]),
                b'\n' => self.put(&[b"\\n"]),
                b'"' if quotes => self.put(&[b"\\\""]),
                byte => self.out.push(byte),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(syntax: Syntax) -> String {
        let mut text = ExportText::new(syntax);
        text.family("a", "all \"that\"\nis \\");
        text.sample("a", [("topic", "q\"\\\n"), ("none", ""), ("b", "c")], "3.5", Some(TimestampMs(1_500)));
        text.sample("a", [], "7", Some(TimestampMs(-1)));
        text.family("b", "");
        text.sample("b", [("c", "d")], "0", None);
        String::from_utf8(text.finish()).unwrap()
    }

    #[test]
    fn each_syntax_has_its_times_and_its_end() {
        let expected = "# HELP a all \"that\"\\nis \\\\\n# TYPE a gauge\na{topic=\"q\\\"\\\\\\n\",b=\"c\"} 3.5 1500\na 7 -1\n\
                        # HELP b \n# TYPE b gauge\nb{c=\"d\"} 0\n";
        assert_eq!(written(Syntax::Prometheus), expected);
        let expected = "# HELP a all \\\"that\\\"\\nis \\\\\n# TYPE a gauge\na{topic=\"q\\\"\\\\\\n\",b=\"c\"} 3.5 1.500\n\
                        a 7 -1.999\n# HELP b \n# TYPE b gauge\nb{c=\"d\"} 0\n# EOF\n";
        assert_eq!(written(Syntax::OpenMetrics), expected);
    }

    #[test]
    fn the_client_chooses_the_syntax() {
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let cases = [
            (prometheus, Syntax::OpenMetrics),
            ("text/plain;version=0.0.4", Syntax::Prometheus),
            ("application/openmetrics-text;q=0.2,text/plain", Syntax::Prometheus),
            ("*/*", Syntax::Prometheus),
            ("application/openmetrics-text;q=much", Syntax::Prometheus),
        ];
        for (accept, expected) in cases {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(Syntax::accepted(&headers), expected, "{accept}");
        }
        assert_eq!(Syntax::accepted(&HeaderMap::new()), Syntax::Prometheus);
    }
}
