//! How long the head of a backend's answer may be: `limits.max_head`.

use std::error::Error;

use hyper::Response;
use hyper::ext::ReasonPhrase;

/// How many header lines an answer may have. hyper makes room for so many, 64 bytes for each, before it reads a head:
/// more would be given back to the system after every opening, and asked for again.
pub(crate) const MAX_LINES: usize = 500;

/// The most that `limits.max_head` may be: hyper reads no more of a head than that.
pub(crate) const MOST: usize = 64 * 1024;

/// The shortest status line but for the reason, as in `HTTP/1.1 200 `, and the empty line at the end.
const AROUND: usize = "HTTP/1.1 200 \r\n\r\n".len();
/// What a line has in addition to name and value.
const IN_LINE: usize = ": \r\n".len();

/// Why an answer does not reach the client.
pub(crate) fn too_long(max_head: usize) -> String {
    format!(
        "the head of the backend's answer is longer than limits.max_head of {max_head} bytes, or has more than \
         {MAX_LINES} lines"
    )
}

/// Whether an answer is longer than that, or was too long for hyper.
pub(crate) fn is_too_long<B, E: Error + 'static>(
    answer: &Result<Response<B>, E>,
    max_head: usize,
) -> bool {
    match answer {
        Ok(response) => len(response) > max_head,
        Err(error) => {
            let mut next: Option<&(dyn Error + 'static)> = Some(error);
            while let Some(error) = next {
                if is_too_long_for_hyper(error) {
                    return true;
                }
                next = error.source();
            }
            false
        }
    }
}

/// Whether hyper refused a head because of its length or the number of its lines.
pub(crate) fn is_too_long_for_hyper(error: &(dyn Error + 'static)) -> bool {
    let error: Option<&hyper::Error> = error.downcast_ref();
    error.is_some_and(hyper::Error::is_parse_too_large)
}

/// The length of a head as servers usually write it. What came before the head was read is gone.
fn len<B>(response: &Response<B>) -> usize {
    let reason = match response.extensions().get::<ReasonPhrase>() {
        Some(reason) => reason.as_bytes().len(),
        None => response.status().canonical_reason().map_or(0, str::len),
    };
    let lines = response.headers().iter();
    let lines = lines.map(|(name, value)| name.as_str().len() + value.len() + IN_LINE);
    AROUND + reason + lines.sum::<usize>()
}

#[cfg(test)]
mod tests;
