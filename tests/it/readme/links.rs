//! Links within the texts and to files beside them.

use std::path::Path;

use super::READMES;

const OTHERS: [(&str, &str); 6] = [
    ("CONTRIBUTING.md", include_str!("../../../CONTRIBUTING.md")),
    (
        "docs/architecture.md",
        include_str!("../../../docs/architecture.md"),
    ),
    ("tests/README.md", include_str!("../../README.md")),
    ("CHANGELOG.md", include_str!("../../../CHANGELOG.md")),
    ("SECURITY.md", include_str!("../../../SECURITY.md")),
    (
        "docs/hardening.md",
        include_str!("../../../docs/hardening.md"),
    ),
];

/// As GitHub makes them of headings.
fn anchors(readme: &str) -> Vec<String> {
    let anchor = |heading: &str| {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = kept
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    readme
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(anchor)
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let files = READMES.into_iter().chain(OTHERS);
    for (file, text) in files {
        let links: Vec<&str> = text
            .split("](")
            .skip(1)
            .map(|rest| rest.split(')').next().unwrap())
            .filter(|link| !link.starts_with("https://"))
            .collect();
        for link in links {
            match link.strip_prefix('#') {
                Some(anchor) => {
                    assert!(
                        anchors(text).iter().any(|known| known == anchor),
                        "{file}: #{anchor} in {:?}",
                        anchors(text)
                    );
                }
                None => {
                    let folder = Path::new(file).parent().unwrap();
                    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                        .join(folder)
                        .join(link);
                    assert!(path.exists(), "{file}: {link}");
                }
            }
        }
    }
}
