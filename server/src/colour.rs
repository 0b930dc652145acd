use std::io::IsTerminal;

/// Whether a stream shows colours: a terminal that is not dumb, unless `NO_COLOR` is set (no-color.org).
pub fn is_wanted(stream: &impl IsTerminal) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    stream.is_terminal() && !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
