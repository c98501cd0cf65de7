//! Numbers that fit into a column.

/// `1,234`, `56.8k`, `1.2M`.
pub(super) fn count(count: u64) -> String {
    match count {
        0..100_000 => grouped(count),
        _ => scaled(count as f64, 1000.0, &["", "k", "M", "G", "T", "P", "E"]),
    }
}

/// The same with two decimals for what happens seldom: `0.05/s`.
pub(super) fn rate(per_second: f64) -> String {
    let figure = match per_second {
        rate if rate <= 0.0 => "0".to_owned(),
        rate if rate < 0.095 => format!("{rate:.2}"),
        rate if rate < 99.5 => format!("{rate:.1}"),
        rate => count(rate.round() as u64),
    };
    format!("{figure}/s")
}

/// `999 B`, `1.2 KiB`.
pub(super) fn bytes(bytes: f64) -> String {
    match bytes {
        bytes if bytes < 1023.5 => format!("{bytes:.0} B"),
        _ => scaled(
            bytes,
            1024.0,
            &[" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"],
        ),
    }
}

/// Three digits and a unit.
fn scaled(mut number: f64, step: f64, units: &[&str]) -> String {
    let mut unit = 0;
    while number >= step - 0.5 && unit + 1 < units.len() {
        number /= step;
        unit += 1;
    }
    let decimals = usize::from(number < 99.95);
    format!("{number:.decimals$}{}", units[unit])
}

fn grouped(count: u64) -> String {
    match count {
        0..1000 => count.to_string(),
        _ => format!("{},{:03}", grouped(count / 1000), count % 1000),
    }
}

/// `850ms`, `12s`, `3m05s`, `2h14m`, `3d04h`.
pub(super) fn span(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0 => format!("{ms}ms"),
        1..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// Milliseconds with as many digits as matter: `0.31`, `18.4`, `1234`.
pub(super) fn millis(ms: f64) -> String {
    match ms {
        ms if ms < 9.95 => format!("{ms:.2}"),
        ms if ms < 99.5 => format!("{ms:.1}"),
        ms => format!("{ms:.0}"),
    }
}

#[cfg(test)]
mod tests;
