use std::fmt;

/// One thing to change in a spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The place in the spec's JSON, such as `spec.ioConfig.topic`; empty for the whole.
    pub path: String,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => out.write_str(&self.message),
            path => write!(out, "{path}: {}", self.message),
        }
    }
}

/// Everything that is wrong with a spec. Never holds the value of a Kafka property.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SpecError {
    /// At least one, in the order in which they were found.
    pub problems: Vec<Problem>,
}

impl fmt::Display for SpecError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [problem] = self.problems.as_slice() {
            return problem.fmt(out);
        }
        write!(out, "the spec has {} problems:", self.problems.len())?;
        self.problems.iter().try_for_each(|problem| write!(out, "\n- {problem}"))
    }
}
