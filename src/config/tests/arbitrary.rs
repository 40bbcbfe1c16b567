//! No text makes the reader panic, and each refusal names at least one mistake.

use proptest::prelude::*;

use super::documented::example;
use crate::config::parse;

fn answers(text: &str) -> bool {
    parse("pe1.yaml", text).err().is_none_or(|mistakes| mistakes.to_string().starts_with("pe1.yaml:"))
}

proptest! {
    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        prop_assert!(answers(&text));
    }

    #[test]
    fn text_of_yaml_signs_is_answered(text in "[-\\[\\]{}:,#&*!|>'\"%@`?~ \n\ta1.:]{0,80}") {
        prop_assert!(answers(&text));
    }

    #[test]
    fn a_damaged_file_is_answered(at in any::<prop::sample::Index>(), gone in 0usize..40, put in "[-\\[\\]{}:,'\" \na1]{0,6}") {
        let mut letters: Vec<char> = example().chars().collect();
        let at = at.index(letters.len());
        letters.splice(at..(at + gone).min(letters.len()), put.chars());
        prop_assert!(answers(&letters.into_iter().collect::<String>()));
    }
}

#[test]
fn deep_nesting_is_answered() {
    assert!(answers(&"[".repeat(100_000)));
    assert!(answers(&"- ".repeat(100_000)));
    assert!(answers(&"{a: ".repeat(100_000)));
}
