//! Templates as written: read from the user's folder, looked over, compiled.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use handlebars::Template;

use super::scan::{self, Depths, Shape};
use crate::diagnostic::{Place, Problem};

/// Most templates in the user's folder.
const TEMPLATES_MAX: usize = 256;
/// Most bytes of all of them: each is compiled once for every kind of receiver.
const FOLDER_BYTES_MAX: usize = 1024 * 1024;

/// A template as written.
pub(super) struct Source {
    /// Where it stands, as the user would name it.
    pub(super) file: PathBuf,
    /// The text as it is shown.
    pub(super) text: String,
}

/// A place in a template, as its compiler and its trial name it: one-based, or 0 where they do not know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Position {
    pub(super) const START: Self = Self { line: 1, column: 1 };
}

/// A problem in a template.
pub(super) fn problem(file: &Path, at: Position, what: String, instead: &str) -> Problem {
    Problem::error(Place { file: file.to_owned(), line: at.line.max(1), column: at.column.max(1) }, "", what, instead)
}

/// Reads the user's templates.
pub(super) fn read(folder: &Path, problems: &mut Vec<Problem>) -> BTreeMap<String, Source> {
    let mut sources = BTreeMap::new();
    let files = match fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
        Ok(files) => files,
        Err(error) => {
            problems.push(problem(
                folder,
                Position::START,
                format!("the folder can't be read: {error}"),
                "name a folder of templates",
            ));
            return sources;
        }
    };
    for file in files.iter().map(fs::DirEntry::path) {
        if file.extension().is_none_or(|extension| extension != "hbs") {
            continue;
        }
        let Some(name) = file.file_stem().and_then(|stem| stem.to_str()) else {
            problems.push(problem(
                &file,
                Position::START,
                "the file's name is not UTF-8".to_owned(),
                "rename the file",
            ));
            continue;
        };
        match read_one(&file) {
            Ok(text) => drop(sources.insert(name.to_owned(), Source { file: file.clone(), text })),
            Err(what) => problems.push(problem(&file, Position::START, what, "use UTF-8 text of at most 32 KiB")),
        }
    }
    let bytes: usize = sources.values().map(|source: &Source| source.text.len()).sum();
    if sources.len() > TEMPLATES_MAX {
        let what = format!("there are {} templates, more than {TEMPLATES_MAX}", sources.len());
        problems.push(problem(folder, Position::START, what, "remove what is not used"));
    } else if bytes > FOLDER_BYTES_MAX {
        let what = format!("the templates have {bytes} bytes together, more than {FOLDER_BYTES_MAX}");
        problems.push(problem(folder, Position::START, what, "remove what is not used"));
    }
    sources
}

fn read_one(file: &Path) -> Result<String, String> {
    let unreadable = |error: io::Error| format!("it can't be read: {error}");
    // Opening what is not a file may never end.
    if !fs::metadata(file).map_err(unreadable)?.is_file() {
        return Err("it is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    let opened = fs::File::open(file).map_err(unreadable)?;
    opened.take(scan::TEMPLATE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > scan::TEMPLATE_BYTES_MAX {
        return Err(format!("the template has more than {} bytes", scan::TEMPLATE_BYTES_MAX));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

/// Compiled templates, by name.
pub(super) type Compiled = BTreeMap<String, (Template, Shape)>;

/// Compiles every template and checks how they include one another; `None` if there were problems.
pub(super) fn compile<'a>(
    sources: impl Iterator<Item = (&'a String, &'a Source)> + Clone,
    problems: &mut Vec<Problem>,
) -> Option<Compiled> {
    let before = problems.len();
    let mut compiled = Compiled::new();
    for (name, source) in sources.clone() {
        match compile_one(name, source) {
            Ok(template) => drop(compiled.insert(name.clone(), template)),
            Err(problem) => problems.push(*problem),
        }
    }
    if problems.len() > before {
        return None;
    }
    let mut shapes = BTreeMap::new();
    for (name, (_, shape)) in &compiled {
        shapes.insert(name.clone(), Shape { depth: shape.depth, partials: shape.partials.clone() });
    }
    let mut depths = Depths::default();
    for (name, source) in sources {
        if let Err(what) = depths.of(name, &shapes) {
            problems.push(problem(&source.file, Position::START, what, "include only partials that are there and end"));
        }
    }
    (problems.len() == before).then_some(compiled)
}

fn compile_one(name: &str, source: &Source) -> Result<(Template, Shape), Box<Problem>> {
    scan::before_compiling(&source.text).map_err(|fault| {
        Box::new(problem(&source.file, place(&source.text, fault.at), fault.what, "write it simpler"))
    })?;
    let template = Template::compile_with_name(&source.text, name.to_owned()).map_err(|error| {
        let at = error.pos().map_or(Position::START, |(line, column)| Position { line, column });
        Box::new(problem(&source.file, at, error.reason().to_string(), "see the Handlebars language guide"))
    })?;
    let shape = scan::shape(&template).map_err(|what| {
        Box::new(problem(
            &source.file,
            Position::START,
            what,
            "write it with `{{…}}`, `{{#if}}`, `{{#each}}` and `{{> name}}`",
        ))
    })?;
    Ok((template, shape))
}

/// Line and column of a byte, from one.
fn place(text: &str, at: usize) -> Position {
    let before = text.get(..at).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    let column = before[line_start..].chars().count() + 1;
    Position { line: before.matches('\n').count() + 1, column }
}
