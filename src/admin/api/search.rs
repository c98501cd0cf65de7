//! Searching connections and closing records for a text.

use super::query::Text;

/// A text that is looked for in any case; without one, everything matches.
pub(super) struct Search(Option<String>);

impl Search {
    pub(super) fn new(text: Option<&Text>) -> Self {
        Search(text.map(|Text(text)| text.to_lowercase()))
    }

    pub(super) fn is_all(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn matches(&self, mut texts: impl Iterator<Item = impl AsRef<str>>) -> bool {
        let contains =
            |wanted: &String| texts.any(|text| text.as_ref().to_lowercase().contains(wanted));
        self.0.as_ref().is_none_or(contains)
    }
}
