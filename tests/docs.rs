//! The pages say what is there: links lead somewhere, and no drop reason is left unexplained.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use srv6_types::DropReason;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md")];
    for folder in ["docs", "docs/adr"] {
        let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        pages.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    pages
}

/// What stands in the parentheses of `[text](target)`.
fn targets(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|behind| behind.split_once(')')).map(|(target, _)| target).collect()
}

/// As forges make them of headings: lower case, blanks to hyphens, punctuation gone.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#'));
    let anchor = |heading: &str| -> String {
        let kept = heading.trim().to_lowercase();
        kept.chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_within_the_pages_leads_somewhere() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for target in targets(&text).into_iter().filter(|target| !target.contains("://")) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let linked = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let leads = linked.exists()
                && (anchor.is_empty() || anchors(&fs::read_to_string(&linked).unwrap()).contains(anchor));
            if !leads {
                broken.push(format!("{}: {target}", page.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn every_page_can_be_reached_from_the_readme() {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![root().join("README.md")];
    while let Some(page) = waiting.pop() {
        let page = page.canonicalize().unwrap();
        if page.extension().is_some_and(|extension| extension == "md") && reached.insert(page.clone()) {
            let text = fs::read_to_string(&page).unwrap();
            let files = targets(&text).into_iter().map(|target| target.split('#').next().unwrap_or_default());
            let linked = files.map(|file| page.parent().unwrap().join(file));
            waiting.extend(linked.filter(|path| path.exists()));
        }
    }
    let lost: Vec<_> =
        pages().into_iter().filter(|page| !reached.contains(&page.canonicalize().unwrap())).collect();
    assert!(lost.is_empty(), "nothing leads to {lost:?}");
}

#[test]
fn every_drop_reason_has_its_row_in_the_guide_and_no_row_is_of_a_reason_gone() {
    let guide = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let (_, table) = guide.split_once("## Drop reasons").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows: Vec<_> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|row| row.split('`').next().unwrap_or_default())
        .collect();
    let words: Vec<_> = DropReason::ALL.iter().map(|reason| reason.word()).collect();
    assert_eq!(rows, words, "in the order of the codes");
}
