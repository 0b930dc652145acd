//! Which topics a datasource reads: one, or all whose names match a pattern.

use std::fmt;

use regex::Regex;

use super::Node;
use super::fields::Fields;

/// Kafka's own topics, which no pattern means.
const INTERNAL: [&str; 3] = ["__consumer_offsets", "__transaction_state", "__share_group_state"];

/// The topics of a supervisor.
#[derive(Debug, Clone, PartialEq)]
pub enum Topics {
    One(String),
    /// Every topic whose whole name matches, also those that are made later.
    Matching(TopicPattern),
}

/// A regular expression over whole names of topics.
#[derive(Debug, Clone)]
pub struct TopicPattern {
    text: String,
    whole_name: Regex,
}

impl Topics {
    /// As its author wrote it: the topic's name, or the pattern.
    pub fn as_str(&self) -> &str {
        match self {
            Self::One(topic) => topic,
            Self::Matching(pattern) => &pattern.text,
        }
    }

    /// Whether the supervisor reads the topic of this name.
    pub fn includes(&self, topic: &str) -> bool {
        match self {
            Self::One(own) => own == topic,
            Self::Matching(pattern) => pattern.whole_name.is_match(topic) && !INTERNAL.contains(&topic),
        }
    }

    /// From the field `one` or the field `pattern`, of which a spec has one.
    pub(super) fn read(fields: &Fields<'_>, one: &'static str, pattern: &'static str) -> Option<Self> {
        match (fields.get(one), fields.get(pattern)) {
            (Some(node), None) => Some(Self::One(node.topic()?.to_owned())),
            (None, Some(node)) => read_pattern(&node).map(Self::Matching),
            (Some(_), Some(node)) => {
                node.problem(format!("`{one}` says already what is read: leave one of the two out"));
                None
            }
            (None, None) => {
                let advice = format!("is missing: name the Kafka topic to read, or write a `{pattern}`");
                fields.problem_at(one, advice);
                None
            }
        }
    }
}

fn read_pattern(node: &Node<'_>) -> Option<TopicPattern> {
    let text = node.text()?;
    // An unbalanced parenthesis must not become balanced by ours.
    let whole_name = Regex::new(text).and_then(|_| Regex::new(&format!(r"\A(?:{text})\z")));
    match whole_name {
        Ok(whole_name) => Some(TopicPattern { text: text.to_owned(), whole_name }),
        Err(error) => {
            let cause = error.to_string();
            let cause = cause.lines().last().unwrap_or_default().trim_start_matches("error: ");
            node.problem(format!("is no regular expression: {cause}"));
            None
        }
    }
}

impl PartialEq for TopicPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Display for Topics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::spec::{SupervisorSpec, Topics};

    fn spec_of(pattern: &str) -> Result<SupervisorSpec, String> {
        let json = json!({
            "topic_pattern": pattern, "kafka": { "bootstrap.servers": "b:9092" }, "time": "t", "dimensions": ["d"],
        });
        SupervisorSpec::from_short_form("usage", &json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_pattern_means_whole_names_and_none_of_kafkas_own_topics() {
        let cases = [
            ("usage-.*", vec!["usage-", "usage-eu"], vec!["usage", "my-usage-eu", "usage\n"]),
            ("eu|us", vec!["eu", "us"], vec!["eus", "europe", "xus"]),
            ("(?i)usage", vec!["usage", "USAGE"], vec!["usages"]),
            (".*", vec!["usage", "_schemas"], vec!["__consumer_offsets", "__transaction_state"]),
        ];
        for (pattern, included, others) in cases {
            let topics = spec_of(pattern).unwrap().topics;
            assert_eq!(topics.as_str(), pattern);
            assert!(included.iter().all(|topic| topics.includes(topic)), "{pattern}");
            assert!(!others.iter().any(|topic| topics.includes(topic)), "{pattern}");
        }
        assert!(Topics::One("a.b".to_owned()).includes("a.b") && !Topics::One("a.b".to_owned()).includes("a-b"));
    }

    #[test]
    fn a_spec_with_a_pattern_reads_back_equal_and_a_wrong_pattern_says_what_is_wrong() {
        let spec = spec_of("usage-[a-z]+").unwrap();
        assert_eq!(spec.to_json()["topic_pattern"], "usage-[a-z]+");
        assert_eq!(SupervisorSpec::from_json(&spec.to_json()).unwrap().spec, spec);
        assert_ne!(spec, spec_of("usage-[a-z]*").unwrap());
        for (pattern, cause) in [
            ("usage-(", "unclosed group"),
            ("a)|(b", "unopened group"),
            ("(?=x)", "look-around, including look-ahead and look-behind, is not supported"),
        ] {
            let message = format!("datasource.usage.topic_pattern: is no regular expression: {cause}");
            assert_eq!(spec_of(pattern), Err(message));
        }
    }
}
