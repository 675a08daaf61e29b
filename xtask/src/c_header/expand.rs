//! Expands the macros of `lvs-ffi/src/exports.rs`, which cbindgen does not see into.
//!
//! They are read from that file, so that compiler and header have one definition. What is
//! understood is one arm a macro, of fragments (`$name:ident`) separated by commas and colons.

use std::collections::BTreeMap;

use crate::error::{Context, Error, Result};

/// A macro: the names of its fragments in groups, as commas separate them, and its body.
struct Template {
    groups: Vec<Vec<String>>,
    body: String,
}

pub(super) struct Templates(BTreeMap<String, Template>);

impl Templates {
    /// Reads the definitions.
    pub(super) fn read(source: &str) -> Result<Self> {
        let mut templates = BTreeMap::new();
        for definition in source.split("macro_rules! ").skip(1) {
            let parts = || {
                let (name, rest) = definition.split_once(" {\n    (")?;
                let (pattern, rest) = rest.split_once(") => {\n")?;
                let (body, _) = rest.split_once("\n    };\n}")?;
                Some((name, pattern, body))
            };
            let (name, pattern, body) = parts().context(|| format!("not understood: macro_rules! {definition}"))?;
            let names = |group: &str| {
                // "$out:ident: $record:ident" holds two.
                let pieces =
                    group.split(": ").map(|piece| Some(piece.trim().strip_prefix('$')?.split_once(':')?.0.to_owned()));
                pieces.collect::<Option<Vec<_>>>()
            };
            let groups = pattern.split(',').map(names).collect::<Option<Vec<_>>>();
            let groups = groups.context(|| format!("not understood: {pattern}"))?;
            let body =
                body.lines().map(|line| line.strip_prefix("        ").unwrap_or(line)).collect::<Vec<_>>().join("\n");
            templates.insert(name.to_owned(), Template { groups, body });
        }
        Ok(Self(templates))
    }

    /// A source with every use of the macros expanded.
    pub(super) fn expand(&self, source: &str) -> Result<String> {
        let mut text = String::new();
        let mut rest = source;
        while let Some(line_end) = rest.find('\n') {
            let line = &rest[..line_end];
            let template = line.split_once("!(").and_then(|(name, _)| self.0.get(name));
            let Some(template) = template else {
                text.push_str(&rest[..=line_end]);
                rest = &rest[line_end + 1..];
                continue;
            };
            let end = rest.find(");\n").context(|| format!("no end of {line}"))?;
            let start = rest.find('(').unwrap_or_default() + 1;
            text.push_str(&template.fill(&rest[start..end])?);
            text.push('\n');
            rest = &rest[end + 3..];
        }
        text.push_str(rest);
        Ok(text)
    }
}

impl Template {
    fn fill(&self, arguments: &str) -> Result<String> {
        let arguments = split(arguments);
        if arguments.len() != self.groups.len() {
            return Err(Error::new(format!("{} arguments, not {}: {arguments:?}", arguments.len(), self.groups.len())));
        }
        let mut values = BTreeMap::new();
        for (group, argument) in self.groups.iter().zip(&arguments) {
            // Only a group of several fragments is separated by colons.
            for (name, value) in group.iter().zip(argument.splitn(group.len(), ": ")) {
                values.insert(format!("${name}"), value.trim().to_owned());
            }
        }
        let mut text = String::new();
        for line in self.body.lines() {
            let mut line = line.to_owned();
            // The longest names first: one may begin with another.
            for (name, value) in values.iter().rev() {
                line = line.replace(name, value);
            }
            let line = line.replace("$crate", "crate");
            match line.trim().strip_prefix("#[doc = ") {
                Some(doc) => text.push_str(&comment(doc)),
                None => text.push_str(&line),
            }
            text.push('\n');
        }
        Ok(text)
    }
}

/// The arguments of a macro, at the commas that stand in no bracket and no string.
fn split(arguments: &str) -> Vec<String> {
    let (mut parts, mut depth, mut quoted, mut escaped) = (vec![String::new()], 0, false, false);
    for c in arguments.chars() {
        match c {
            '"' if !escaped => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// String literals as a comment: what stands in them, in lines that fit.
fn comment(literals: &str) -> String {
    // `\` at the end of a line continues it without the blanks that follow.
    let mut joined = String::new();
    let mut lines = literals.lines().peekable();
    while let Some(line) = lines.next() {
        match line.strip_suffix('\\') {
            Some(line) if lines.peek().is_some() => joined.push_str(line),
            _ => joined.push_str(line),
        }
        while let Some(next) = lines.peek() {
            if joined.is_empty() || next.trim().is_empty() {
                break;
            }
            let next = lines.next().unwrap_or_default().trim_start();
            joined.push_str(next.strip_suffix('\\').unwrap_or(next));
        }
    }
    // The parts between the quotes, one after the other.
    let text: String = joined.replace("\\\"", "\u{1}").split('"').skip(1).step_by(2).collect();
    let text = text.replace('\u{1}', "\"");
    let mut comment = String::new();
    for (number, paragraph) in text.split("\\n\\n").enumerate() {
        if number > 0 {
            comment.push_str("\n///");
        }
        let mut width = 0;
        for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
            if width == 0 || width + word.len() > 112 {
                comment.push_str(if comment.is_empty() { "///" } else { "\n///" });
                width = 0;
            }
            comment.push(' ');
            comment.push_str(word);
            width += word.len() + 1;
        }
    }
    comment
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACROS: &str = "
/// Says how many.
macro_rules! len {
    ($name:ident, $handle:ident: $type:ident, $len:expr, $doc:literal) => {
        #[doc = $doc]
        pub fn $name($handle: &$type) -> usize {
            $len
        }
    };
}
/// Releases.
macro_rules! free {
    ($name:ident, $what:literal) => {
        #[doc = concat!(\"Releases \", $what, \".\")]
        pub fn $name() {}
    };
}
";

    #[test]
    fn a_macro_expands_to_what_the_compiler_makes_of_it() {
        let templates = Templates::read(MACROS).unwrap();
        let source = "use x;\nlen!(\n    a_len, a: lvs_a, a.get(b, c).len(),\n    \"How \\\"many\\\", or so; \\\n     then.\\n\\nMore.\"\n);\n\n\
                      free!(a_free, \"an a\");\nfn f() {}\n";
        assert_eq!(
            templates.expand(source).unwrap(),
            "use x;\n/// How \"many\", or so; then.\n///\n/// More.\npub fn a_len(a: &lvs_a) -> usize {\n    a.get(b, c).len()\n}\n\n\n\
             /// Releases an a.\npub fn a_free() {}\n\nfn f() {}\n"
        );
    }

    #[test]
    fn what_fits_no_macro_is_an_error() {
        let templates = Templates::read(MACROS).unwrap();
        assert!(templates.expand("free!(a_free);\n").is_err());
        assert!(Templates::read("macro_rules! two {\n    () => {};\n    (x) => {};\n}\n").is_err());
    }
}
