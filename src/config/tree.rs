//! YAML text to a tree that knows the place of every node. A scalar is its text, quoted or not: what it means is the
//! schema's business, so `65000:101`, `10`, `no` and `fc00::1` arrive as they were written (YAML 1.2, never 1.1).

use serde_saphyr::granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, options};

use super::{error::Mistake, place::Place};

/// A node and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing written, `null` or `~`.
    Null,
    /// A mistake that is noted already.
    Refused,
    Scalar(String),
    List(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// `key: value`. Keys may repeat; the reader refuses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) value: Node,
}

/// `None` where the text is no YAML; the mistake is among those returned.
pub(super) fn parse(text: &str) -> (Option<Node>, Vec<Mistake>) {
    let options = options! { emit_comments: false, emit_unresolved_aliases: true };
    let events = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder { events, mistakes: Vec::new() };
    let tree = match builder.document() {
        Ok(tree) => Some(tree),
        Err(error) => {
            builder.mistakes.push(syntax_mistake(text, &error));
            None
        }
    };
    (tree, builder.mistakes)
}

struct Builder<'t> {
    events: Parser<'t, StrInput<'t>>,
    mistakes: Vec<Mistake>,
}

impl<'t> Builder<'t> {
    fn document(&mut self) -> Result<Node, ScanError> {
        let mut tree = None;
        while let Some((event, span)) = self.next()? {
            match event {
                Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
                Event::DocumentStart(..) if tree.is_none() => {}
                Event::DocumentStart(..) => {
                    self.refuse(span.start, "a second YAML document begins; put everything into the first");
                    break;
                }
                event => tree = Some(self.node(event, span)?),
            }
        }
        Ok(tree.unwrap_or(Node { place: Place { line: 1, column: 1 }, value: Value::Null }))
    }

    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, ScanError> {
        self.events.next().transpose()
    }

    /// Depth is bounded by the parser's nesting limits: aliases, which could exceed them, are refused.
    fn node(&mut self, event: Event<'t>, span: Span) -> Result<Node, ScanError> {
        let value = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_properties(span, anchor, tag.is_some());
                let null =
                    style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                if null { Value::Null } else { Value::Scalar(text.into_owned()) }
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_properties(span, anchor, tag.is_some());
                Value::List(self.list()?)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_properties(span, anchor, tag.is_some());
                Value::Mapping(self.mapping()?)
            }
            _ => {
                self.refuse(span.start, "YAML aliases (*name) are not understood; write the value out");
                Value::Refused
            }
        };
        Ok(Node { place: place(span.start), value })
    }

    fn list(&mut self) -> Result<Vec<Node>, ScanError> {
        let mut items = Vec::new();
        while let Some((event, span)) = self.next()?.filter(|(event, _)| *event != Event::SequenceEnd) {
            items.push(self.node(event, span)?);
        }
        Ok(items)
    }

    fn mapping(&mut self) -> Result<Vec<Entry>, ScanError> {
        let mut entries = Vec::new();
        while let Some((event, span)) = self.next()?.filter(|(event, _)| *event != Event::MappingEnd) {
            let key = self.node(event, span)?;
            let Some((event, span)) = self.next()? else { break };
            let value = self.node(event, span)?;
            match key.value {
                Value::Scalar(text) => entries.push(Entry { key: text, place: key.place, value }),
                _ => self.refuse_at(key.place, "a key must be a word; write key: value"),
            }
        }
        Ok(entries)
    }

    fn refuse_properties(&mut self, span: Span, anchor: usize, tagged: bool) {
        if anchor != 0 {
            self.refuse(
                span.start,
                "YAML anchors (&name) are not understood; write the value where it is used",
            );
        }
        if tagged {
            self.refuse(span.start, "YAML tags (!name) are not understood; leave the tag out");
        }
    }

    fn refuse(&mut self, at: Marker, problem: &str) {
        self.refuse_at(place(at), problem);
    }

    fn refuse_at(&mut self, place: Place, problem: &str) {
        self.mistakes.push(Mistake::syntax(place, problem.to_owned()));
    }
}

/// The parser counts columns from 0.
fn place(marker: Marker) -> Place {
    Place { line: marker.line().max(1), column: marker.col() + 1 }
}

fn syntax_mistake(text: &str, error: &ScanError) -> Mistake {
    let place = place(*error.marker());
    let line = text.lines().nth(place.line - 1).unwrap_or_default();
    Mistake::syntax(place, format!("this is not YAML: {}; {}", error.info(), remedy(line)))
}

/// Knows the two slips that make up most broken files: an address that ends in a colon without quotes, and a tab.
fn remedy(line: &str) -> String {
    let ends_a_word = |c: char| c.is_whitespace() || "[]{},".contains(c);
    match line.split(ends_a_word).find(|word| word.ends_with("::")) {
        Some(word) => format!("put quotes around what ends in a colon: \"{word}\""),
        None if line.contains('\t') => "indent with spaces".to_owned(),
        None => {
            "look at the indentation, the colons and the quotes of this line and the one above".to_owned()
        }
    }
}
