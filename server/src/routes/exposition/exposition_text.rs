use std::fmt::Write;

/// Prometheus' text format 0.0.4, a family at a time.
#[derive(Default)]
pub struct Exposition {
    text: String,
}

#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// The samples of one name.
pub struct Family<'a> {
    name: &'static str,
    text: &'a mut String,
}

impl Exposition {
    /// Begins a family; one that gets no sample is well formed too.
    pub fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> Family<'_> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        line(&mut self.text, format_args!("# HELP {name} {help}"));
        line(&mut self.text, format_args!("# TYPE {name} {kind}"));
        Family { name, text: &mut self.text }
    }

    pub fn finish(self) -> String {
        self.text
    }
}

impl Family<'_> {
    pub fn value(&mut self, labels: &[(&str, &str)], value: f64) {
        self.sample("", labels, value);
    }

    /// `cumulative` has one more entry than `bounds`: the count of all.
    pub fn histogram(&mut self, bounds: &[f64], cumulative: &[f64], sum: f64) {
        for (bound, count) in bounds.iter().zip(cumulative) {
            self.sample("_bucket", &[("le", &bound.to_string())], *count);
        }
        let all = cumulative.last().copied().unwrap_or_default();
        self.sample("_bucket", &[("le", "+Inf")], all);
        self.sample("_sum", &[], sum);
        self.sample("_count", &[], all);
    }

    fn sample(&mut self, suffix: &str, labels: &[(&str, &str)], value: f64) {
        let mut written = String::new();
        for (at, (label, text)) in labels.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            write!(written, "{comma}{label}=\"{text}\"").expect("a string takes all text");
        }
        if !written.is_empty() {
            written = format!("{{{written}}}");
        }
        line(self.text, format_args!("{}{suffix}{written} {value}", self.name));
    }
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    text.write_fmt(content).expect("a string takes all text");
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_help_type_and_escaped_labels() {
        let mut out = Exposition::default();
        out.family("a_total", Kind::Counter, "Counts a.").value(&[("name", "q\"\\\n"), ("b", "c")], 3.0);
        out.family("b", Kind::Gauge, "Measures b.").value(&[], 0.5);
        out.family("c", Kind::Histogram, "Times c.").histogram(&[0.1, 1.0], &[1.0, 2.0, 4.0], 7.25);
        let expected = r#"# HELP a_total Counts a.
# TYPE a_total counter
a_total{name="q\"\\\n",b="c"} 3
# HELP b Measures b.
# TYPE b gauge
b 0.5
# HELP c Times c.
# TYPE c histogram
c_bucket{le="0.1"} 1
c_bucket{le="1"} 2
c_bucket{le="+Inf"} 4
c_sum 7.25
c_count 4
"#;
        assert_eq!(out.finish(), expected);
    }
}
