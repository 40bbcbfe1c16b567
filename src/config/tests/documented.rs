//! `docs/configuration.md` shows files and what `check` says of them; both are held to it here.

use crate::{check, config::parse};

const PAGE: &str = include_str!("../../../docs/configuration.md");
const COMMAND: &str = "$ sixedge check --config ";

/// The example with everything.
pub(super) fn example() -> &'static str {
    blocks().find(|(language, _)| *language == "yaml").expect("a YAML block").1
}

/// Language and text of each block of the page.
fn blocks() -> impl Iterator<Item = (&'static str, &'static str)> {
    let fenced = PAGE.split("```").skip(1).step_by(2);
    fenced.map(|block| block.split_once('\n').expect("the line of the language"))
}

#[test]
fn check_says_what_the_page_shows() {
    let (mut file, mut compared) = ("", 0);
    for (language, text) in blocks() {
        if language == "yaml" {
            file = text;
        }
        let Some((name, shown)) = text.strip_prefix(COMMAND).and_then(|rest| rest.split_once('\n')) else {
            continue;
        };
        let said = match parse(name, file) {
            Ok(intent) => check::verdict(name, &intent),
            Err(mistakes) => mistakes.to_string(),
        };
        assert_eq!(said, shown.trim_end());
        compared += 1;
    }
    assert_eq!(compared, 4, "one right file and three wrong ones");
}
