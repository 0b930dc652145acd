/// Whether a parameter of a URL is on. Druid takes a bare name for true.
pub fn is_set(flag: &Option<String>) -> bool {
    flag.as_deref().is_some_and(|text| text != "false")
}
