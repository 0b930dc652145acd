//! Finds the known name that a person probably meant.

/// `; did you mean 'x'?` for the nearest of `known`, empty where none is near.
pub(crate) fn did_you_mean<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> String {
    let wanted = written.to_lowercase();
    let distance_max = 1 + wanted.chars().count() / 3;
    known
        .map(|name| (strsim::osa_distance(&wanted, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= distance_max)
        .min()
        .map_or_else(String::new, |(_, name)| format!("; did you mean '{name}'?"))
}

/// A message, and what else there is to say: a sentence of its own after a question.
pub(crate) fn with_advice(message: &str, advice: &str) -> String {
    if !message.ends_with('?') {
        return format!("{message}; {advice}");
    }
    let first = advice.chars().next().map_or(0, char::len_utf8);
    format!("{message} {}{}", advice[..first].to_uppercase(), &advice[first..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_names_are_suggested() {
        let known = || ["tenant", "topic", "__time"].into_iter();
        assert_eq!(did_you_mean("Tenat", known()), "; did you mean 'tenant'?");
        assert_eq!(did_you_mean("TOPIC", known()), "; did you mean 'topic'?");
        assert_eq!(did_you_mean("latency", known()), "");
    }

    #[test]
    fn advice_follows_a_question_as_a_sentence() {
        assert_eq!(with_advice("x is not found", "tables: a, b"), "x is not found; tables: a, b");
        assert_eq!(with_advice("x; did you mean 'a'?", "tables: a, b"), "x; did you mean 'a'? Tables: a, b");
    }
}
