//! Reads `include/lvs.h` as `c_header` lays it out: sections, and in them items with their
//! comments.

use crate::error::{Context, Result};

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) enum Kind {
    Function,
    Handle,
    /// Structs, enumerations, constants and types of functions.
    Other,
}

#[derive(Debug)]
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// The description: paragraphs.
    pub(super) text: Vec<String>,
    /// As the header has it, with the comments of fields.
    pub(super) declaration: String,
    /// Of a function, on one line.
    pub(super) prototype: String,
}

pub(super) struct Section {
    pub(super) module: String,
    pub(super) title: String,
    pub(super) items: Vec<Item>,
    pub(super) example: Option<String>,
}

impl Section {
    pub(super) fn functions(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.kind == Kind::Function)
    }
}

impl Item {
    /// The parameters of a function.
    fn parameters(&self) -> impl Iterator<Item = &str> {
        let inside = self.prototype.split_once('(').map_or("", |(_, rest)| rest.trim_end_matches([')', ';']));
        inside.split(',').map(str::trim).filter(|parameter| !parameter.is_empty() && *parameter != "void")
    }

    pub(super) fn returns_status(&self) -> bool {
        self.prototype.starts_with("lvs_status lvs_") && self.prototype.contains("struct lvs_error **err")
    }

    /// The handles that the function makes: the parameter's name, and its type.
    pub(super) fn made(&self) -> Vec<(String, String)> {
        self.parameters()
            .filter_map(|parameter| parameter.strip_prefix("struct ")?.split_once(" **"))
            .filter(|(handle, _)| *handle != "lvs_error")
            .map(|(handle, name)| (name.to_owned(), handle.to_owned()))
            .collect()
    }

    /// The types of structs that it takes by pointer, in order.
    pub(super) fn handles(&self) -> impl Iterator<Item = String> {
        self.parameters().filter_map(|parameter| {
            let rest = parameter.strip_prefix("const ").unwrap_or(parameter).strip_prefix("struct ")?;
            let (name, pointer) = rest.split_once(" *")?;
            (!pointer.starts_with('*')).then(|| name.to_owned())
        })
    }

    /// The sentences that say something of threads.
    pub(super) fn threads(&self) -> Option<String> {
        let text = self.text.join(" ");
        let sentences: Vec<&str> = text.split_inclusive(". ").map(str::trim).filter(|s| s.contains("thread")).collect();
        (!sentences.is_empty()).then(|| sentences.join(" "))
    }
}

/// The sections of the header; `modules` are the names and titles of what it is made from.
pub(super) fn sections(header: &str, modules: &[(String, String)]) -> Result<Vec<Section>> {
    let mut sections: Vec<Section> = Vec::new();
    let mut lines = header.lines().peekable();
    let (mut comment, mut declaration) = (Vec::new(), String::new());
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("/* ").and_then(|rest| rest.strip_suffix("- */")) {
            let title = title.trim_end_matches('-').trim_end().to_owned();
            let module = modules.iter().find(|(_, known)| *known == title);
            let (module, _) = module.context(|| format!("no module of lvs-ffi has the heading {title:?}"))?;
            sections.push(Section { module: module.clone(), title, items: Vec::new(), example: None });
            continue;
        }
        let Some(section) = sections.last_mut() else { continue };
        if line == "/**" {
            comment.clear();
            for line in lines.by_ref().take_while(|line| *line != " */") {
                comment.push(line.trim_start_matches(" *").trim_start().to_owned());
            }
            continue;
        }
        if line.is_empty()
            || line.starts_with("#ifdef")
            || line.starts_with("#endif")
            || line.starts_with("} // extern")
        {
            continue;
        }
        declaration.clear();
        declaration.push_str(line);
        // Up to the empty line: initialisers stand behind their record, fields have comments.
        while let Some(next) = lines.next_if(|next| !next.is_empty()) {
            declaration.push('\n');
            declaration.push_str(next);
        }
        let text = paragraphs(&comment);
        comment.clear();
        if let Some(item) = item(&declaration, text) {
            section.items.push(item);
        }
    }
    Ok(sections)
}

fn paragraphs(comment: &[String]) -> Vec<String> {
    comment.split(String::is_empty).filter(|lines| !lines.is_empty()).map(|lines| lines.join(" ")).collect()
}

fn item(declaration: &str, text: Vec<String>) -> Option<Item> {
    let prototype: String = declaration
        .strip_prefix("LVS_NODISCARD\n")
        .unwrap_or(declaration)
        .lines()
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ");
    let (kind, name) = if let Some(rest) = declaration.strip_prefix("#define ") {
        (Kind::Other, rest.split(' ').next()?)
    } else if let Some(rest) = declaration.strip_prefix("LVS_ENUM(") {
        (Kind::Other, rest.split(')').next()?)
    } else if declaration.contains("(*") {
        (Kind::Other, declaration.split_once("(*")?.1.split(')').next()?)
    } else if let Some(rest) = declaration.strip_prefix("typedef struct ") {
        let name = rest.split([' ', ';']).next()?;
        // A handle that is only announced, for a function of an earlier section, has no
        // description.
        let kind = if rest.contains('{') { Kind::Other } else { Kind::Handle };
        if kind == Kind::Handle && text.is_empty() {
            return None;
        }
        (kind, name)
    } else if prototype.ends_with(");") {
        (Kind::Function, prototype.split('(').next()?.rsplit([' ', '*']).next()?)
    } else {
        return None;
    };
    Some(Item { kind, name: name.to_owned(), text, declaration: declaration.to_owned(), prototype: prototype.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "\
/* Things ------- */

/**
 * A thing.
 *
 * Made by lvs_thing_new(). One thread at a time.
 */
typedef struct lvs_thing lvs_thing;

/**
 * Makes one.
 */
LVS_NODISCARD
lvs_status lvs_thing_new(const struct lvs_table *table,
                         struct lvs_thing **thing,
                         struct lvs_error **err);
";

    #[test]
    fn a_function_page_lists_parameters_and_result() {
        let sections = sections(HEADER, &[("thing".into(), "Things".into())]).unwrap();
        assert_eq!(sections[0].module, "thing");
        assert_eq!(sections[0].items[0].threads().unwrap(), "One thread at a time.");
        let new = sections[0].functions().next().unwrap();
        assert_eq!(new.made(), [("thing".to_owned(), "lvs_thing".to_owned())]);
        assert_eq!(new.handles().collect::<Vec<_>>(), ["lvs_table"]);
        assert!(new.returns_status());
    }
}
