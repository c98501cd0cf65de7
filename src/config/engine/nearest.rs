//! Which known word was probably meant.

/// The candidate that differs from `word` by a slip or two, or is a shorter or longer form of it; none when nothing is
/// near.
pub(crate) fn nearest<'c>(
    word: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<&'c str> {
    const LONGEST: usize = 64;
    if word.len() > LONGEST {
        return None;
    }
    let slips = (word.chars().count() / 3).clamp(1, 3);
    let is_form = |a: &str, b: &str| b.len() > 3 && a.starts_with(b);
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, it)| *distance <= slips || is_form(word, it) || is_form(it, word))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests;
