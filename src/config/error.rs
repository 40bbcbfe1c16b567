use std::{fmt, io, path::Path, str::Utf8Error};

use super::place::Place;

/// Every mistake of one file, in the order of its lines; displayed one per line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigErrors {
    file: String,
    mistakes: Vec<Mistake>,
}

/// One mistake: where, and what is wrong together with the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    /// `None`: the file as a whole.
    pub(super) place: Option<Place>,
    /// As in `vrfs[0].importRouteTargets[1]`, empty at the top and for broken YAML.
    pub(super) path: String,
    pub(super) problem: String,
}

impl ConfigErrors {
    pub(super) fn new(file: &str, mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort_by_key(|mistake| mistake.place);
        Self { file: file.to_owned(), mistakes }
    }
}

impl Mistake {
    pub(super) fn syntax(place: Place, problem: String) -> Self {
        Self { place: Some(place), path: String::new(), problem }
    }

    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        let remedy = match error.kind() {
            io::ErrorKind::NotFound => "; name the file with --config".to_owned(),
            io::ErrorKind::PermissionDenied => format!("; run as a user who may read {}", path.display()),
            _ => String::new(),
        };
        Self { place: None, path: String::new(), problem: format!("cannot be read: {error}{remedy}") }
    }

    pub(super) fn not_utf8(octets: &[u8], error: Utf8Error) -> Self {
        let valid = String::from_utf8_lossy(&octets[..error.valid_up_to()]);
        let line = valid.matches('\n').count() + 1;
        let column = valid.rsplit('\n').next().map_or(0, |text| text.chars().count()) + 1;
        Self::syntax(Place { line, column }, "the text is not UTF-8; save the file as UTF-8".to_owned())
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.mistakes.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{}:", self.file)?;
            if let Some(place) = mistake.place {
                write!(f, "{place}:")?;
            }
            if !mistake.path.is_empty() {
                write!(f, " {}:", mistake.path)?;
            }
            write!(f, " {}", mistake.problem)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
