/// The known word that `word` was probably meant to be.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = fold(word);
    known
        .iter()
        .map(|&candidate| (distance(&plain, &fold(candidate)), candidate))
        .min()
        .filter(|&(distance, _)| distance * 3 <= plain.len().max(3))
        .map(|(_, candidate)| candidate)
}

/// What stays of a key when case, `-` and `_` say nothing: other programs write `hold-time` or `hold_time`.
fn fold(word: &str) -> Vec<char> {
    word.chars().take(64).filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect()
}

/// Levenshtein distance.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_understood() {
        let known = ["holdTime", "keepalive", "address", "asn"];
        assert_eq!(nearest("hold-time", &known), Some("holdTime"));
        assert_eq!(nearest("adress", &known), Some("address"));
        assert_eq!(nearest("as", &known), Some("asn"));
        assert_eq!(nearest("password", &known), None);
        assert_eq!(nearest("", &known), None);
    }
}
