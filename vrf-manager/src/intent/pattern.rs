//! Patterns of interface names.

/// Whether a name stands for all that it matches.
pub fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?'])
}

/// Whether `pattern` matches the whole of `name`: `*` any characters or none, `?` one. A name without these matches itself.
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    // Behind the last star, and what it stands for so far: on a mismatch it takes one more.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                p += 1;
                star = Some((p, n));
            }
            Some(wanted) if *wanted == b'?' || *wanted == name[n] => (p, n) = (p + 1, n + 1),
            _ => match &mut star {
                Some((behind, taken)) => {
                    *taken += 1;
                    (p, n) = (*behind, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|left| *left == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match_whole_names() {
        for (pattern, name, expected) in [
            ("eth0", "eth0", true),
            ("eth0", "eth01", false),
            ("eth?", "eth0", true),
            ("eth?", "eth", false),
            ("eth?", "eth10", false),
            ("tap-*", "tap-", true),
            ("tap-*", "tap-red1", true),
            ("tap-*", "xtap-red1", false),
            ("*", "", true),
            ("*red*", "tap-red1", true),
            ("*a*ab", "aaab", true),
            ("*a*ab", "aaaba", false),
            ("t*p?", "tap-p1", true),
            ("?*", "", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        assert!(is_pattern("eth?") && is_pattern("*") && !is_pattern("eth0.100"));
    }
}
