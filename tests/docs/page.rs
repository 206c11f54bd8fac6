//! A page of the documentation, taken apart as far as the tests need: code blocks, inline code, headings.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The folder of the project.
pub(super) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Folders with pages, and whether their subfolders have some too.
const FOLDERS: [(&str, bool); 4] = [("", false), ("docs", true), ("tests", false), ("deploy", true)];

/// A Markdown file of the documentation.
#[derive(Debug)]
pub(super) struct Page {
    /// Relative to the project's folder, with `/`.
    pub(super) path: String,
    /// The text as it is shown.
    pub(super) text: String,
}

/// A fenced block of code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block<'a> {
    /// The line of its first audience, from one.
    pub(super) line: usize,
    /// What is written after the audience: `yaml`.
    pub(super) language: &'a str,
    /// Its text, without the indentation of the audience.
    pub(super) text: String,
}

/// Every page of the project, in the order of their paths.
pub(super) fn pages() -> Vec<Page> {
    let mut found = Vec::new();
    for (folder, is_deep) in FOLDERS {
        collect(Path::new(folder), is_deep, &mut found);
    }
    found.sort();
    found.iter().map(|path| Page::read(path)).collect()
}

fn collect(folder: &Path, is_deep: bool, found: &mut Vec<String>) {
    for entry in fs::read_dir(Path::new(ROOT).join(folder)).unwrap() {
        let path: PathBuf = folder.join(entry.unwrap().file_name());
        if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path.to_str().unwrap().to_owned());
        } else if is_deep && Path::new(ROOT).join(&path).is_dir() {
            collect(&path, is_deep, found);
        }
    }
}

impl Page {
    pub(super) fn read(path: &str) -> Self {
        let text = fs::read_to_string(Path::new(ROOT).join(path));
        Self { path: path.to_owned(), text: text.unwrap_or_else(|error| panic!("{path}: {error}")) }
    }

    /// The fenced blocks, from the first to the last.
    pub(super) fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let mut open: Option<(Block<'_>, usize)> = None;
        for (index, line) in self.text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            match (&mut open, line.trim_start().strip_prefix("```")) {
                (None, Some(language)) => {
                    open = Some((Block { line: index + 1, language, text: String::new() }, indent));
                }
                (Some(_), Some("")) => blocks.extend(open.take().map(|(block, _)| block)),
                (Some((block, indent)), _) => {
                    block.text.push_str(line.get(*indent..).unwrap_or_else(|| line.trim_start()));
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: the block of line {} has no end", self.path, open.unwrap().0.line);
        blocks
    }

    /// The text without fenced blocks; their lines are empty, so that numbers of lines stay.
    pub(super) fn prose(&self) -> String {
        let mut is_code = false;
        let mut prose = String::new();
        for line in self.text.lines() {
            let is_fence = line.trim_start().starts_with("```");
            if !is_code && !is_fence {
                prose.push_str(line);
            }
            is_code ^= is_fence;
            prose.push('\n');
        }
        prose
    }

    /// What is written between single backticks, with the number of its line.
    pub(super) fn inline_code(&self) -> Vec<(usize, String)> {
        let prose = self.prose();
        let of_line = |(index, line): (usize, &str)| {
            let spans: Vec<_> = line.split('`').skip(1).step_by(2).map(|span| (index + 1, span.to_owned())).collect();
            spans
        };
        prose.lines().enumerate().flat_map(of_line).collect()
    }

    /// The anchors of its headings, as GitHub makes them.
    pub(super) fn anchors(&self) -> Vec<String> {
        let prose = self.prose();
        let headings = prose
            .lines()
            .filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')));
        headings.map(anchor).collect()
    }
}

/// Small letters, digits and hyphens; blanks become hyphens, everything else is left out.
pub(super) fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn blocks_prose_and_anchors_are_found() {
    let text = "# A `b`: c, d\ntext `code` x\n  ```sh\n  one\n    two\n  ```\n## E\n";
    let page = Page { path: String::new(), text: text.to_owned() };
    assert_eq!(page.blocks(), [Block { line: 3, language: "sh", text: "one\n  two\n".to_owned() }]);
    assert_eq!(page.inline_code(), [(1, "b".to_owned()), (2, "code".to_owned())]);
    assert_eq!(page.anchors(), ["a-b-c-d", "e"]);
}
