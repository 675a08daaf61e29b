//! Puts what cbindgen writes in the order of the modules of `lvs-ffi`, types beside the functions
//! that use them.
//!
//! cbindgen writes all constants, then all types, then all functions. A reader looks for a subject:
//! each module of `lvs-ffi` is one, and the first sentence of its documentation is the heading.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::error::{Context, Error, Result};

/// One module of `lvs-ffi`, in the order of its `lib.rs`.
pub(super) struct Section {
    /// The module's name.
    pub(super) module: String,
    /// The first sentence of the module's documentation.
    pub(super) title: String,
    /// The module's source: items come in the order in which it defines them.
    pub(super) source: String,
}

/// A declaration with its comment.
#[derive(Debug, PartialEq, Eq)]
struct Item {
    name: String,
    text: String,
}

/// Arranges the whole header: `head` and what is not an item stays, the items between are sorted
/// into sections.
pub(super) fn arrange(header: &str, sections: &[Section]) -> Result<String> {
    let (head, rest) = header.split_once(ITEMS).context(|| format!("the header lacks {ITEMS:?}"))?;
    let (body, trailer) = rest.split_once(TRAILER).context(|| format!("the header lacks {TRAILER:?}"))?;
    let mut items: BTreeMap<String, Item> = BTreeMap::new();
    for item in read(body)? {
        items.insert(item.name.clone(), item);
    }
    let (mut initialisers, end) = initialisers(trailer)?;
    let handles: BTreeSet<String> = items.values().filter_map(Item::handle).collect();
    let mut text = head.trim_end().to_owned();
    text.push_str("\n\n");
    text.push_str(ENUMERATION);
    text.push_str("\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    let mut declared = BTreeSet::new();
    for section in sections {
        let defined = defined(&section.source);
        let here: Vec<Item> = defined.iter().filter_map(|name| items.remove(name)).collect();
        if here.is_empty() {
            continue;
        }
        let rule = "-".repeat(96usize.saturating_sub(section.title.len()));
        let _ = write!(text, "\n/* {} {rule} */\n", section.title);
        // Constants and types before the functions that use them.
        let (functions, others): (Vec<_>, Vec<_>) = here.into_iter().partition(Item::is_function);
        for item in others.into_iter().chain(functions) {
            for handle in handles.iter().filter(|handle| item.mentions(handle)) {
                if declared.insert(handle.clone()) && *handle != item.name {
                    let _ = write!(text, "\ntypedef struct {handle} {handle};\n");
                }
            }
            // A handle that is named by an earlier section is declared there; its description stays
            // here.
            let again = item.handle().is_some() && text.contains(&format!("\ntypedef struct {0} {0};\n", item.name));
            let _ = write!(text, "\n{}", if again { item.comment() } else { item.text.as_str() });
            for initialiser in initialisers.remove(&item.name).unwrap_or_default() {
                text.push_str(&initialiser);
            }
        }
    }
    let left: Vec<&String> = items.keys().chain(initialisers.keys()).collect();
    if !left.is_empty() {
        return Err(Error::new(format!("no module of lvs-ffi defines {left:?}")));
    }
    text.push_str("\n#ifdef __cplusplus\n} // extern \"C\"\n#endif\n");
    text.push_str(end);
    Ok(text)
}

/// What stands before the first item.
const ITEMS: &str = "/* Items. */";
/// What stands behind the last item.
const TRAILER: &str = "/* Initialisers. */";

/// How every enumeration is declared. cbindgen writes these lines at each.
const ENUMERATION: &str = "\
/*
 * An enumeration, 32 bits wide in every language. C before C23 cannot give an enumeration a width: its name is that of an
 * integer there, and values that a later release adds need no care.
 */
#if defined(__cplusplus)
#define LVS_ENUM(name) enum name : uint32_t
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 202311L
#define LVS_ENUM(name) enum name : uint32_t; typedef enum name name; enum name : uint32_t
#else
#define LVS_ENUM(name) typedef uint32_t name; enum
#endif
";

impl Item {
    fn is_function(&self) -> bool {
        self.text.trim_end().ends_with(");") && !self.declaration().starts_with("typedef")
    }

    /// The name of an opaque type that this declares.
    fn handle(&self) -> Option<String> {
        let name = &self.name;
        (self.declaration() == format!("typedef struct {name} {name};\n")).then(|| name.clone())
    }

    fn declaration(&self) -> &str {
        self.text.rsplit_once(" */\n").map_or(&self.text, |(_, declaration)| declaration)
    }

    fn comment(&self) -> &str {
        &self.text[..self.text.len() - self.declaration().len()]
    }

    fn mentions(&self, name: &str) -> bool {
        self.text.match_indices(&format!("struct {name}")).any(|(at, found)| {
            !self.text[at + found.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        })
    }
}

/// The items, as cbindgen writes them.
fn read(body: &str) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    let mut lines = body.lines().peekable();
    let mut text = String::new();
    while let Some(line) = lines.next() {
        if line.is_empty() || line.starts_with("extern \"C\"") || line.starts_with("}  // extern") {
            continue;
        }
        if line == "#ifdef __cplusplus" || line == "#endif // __cplusplus" || line == "#endif  // __cplusplus" {
            continue;
        }
        text.push_str(line);
        text.push('\n');
        if line.starts_with("/**") || line.starts_with(" *") || line == "LVS_NODISCARD" {
            continue;
        }
        let name = if let Some(rest) = line.strip_prefix("#define ") {
            rest.split(' ').next().unwrap_or_default().to_owned()
        } else if let Some(name) = line.strip_prefix("enum ") {
            text.truncate(text.len() - line.len() - 1);
            let _ = writeln!(text, "LVS_ENUM({name}) {{");
            // Three lines give it a width, and what stands behind it a name.
            lines.by_ref().take_while(|line| *line != " {").for_each(drop);
            for line in lines.by_ref() {
                text.push_str(line);
                text.push('\n');
                if line == "};" {
                    break;
                }
            }
            lines.by_ref().take_while(|line| *line != "#endif // __cplusplus").for_each(drop);
            name.to_owned()
        } else if line.ends_with('{') {
            for line in lines.by_ref() {
                text.push_str(line);
                text.push('\n');
                if line.starts_with('}') {
                    break;
                }
            }
            line.trim_end_matches([' ', '{']).rsplit(' ').next().unwrap_or_default().to_owned()
        } else {
            let mut declaration = line.to_owned();
            while !declaration.ends_with(';') {
                let next = lines.next().context(|| format!("no end of {declaration:?}"))?;
                text.push_str(next);
                text.push('\n');
                declaration.push_str(next.trim());
            }
            named(&declaration).context(|| format!("no name in {declaration:?}"))?
        };
        items.push(Item { name, text: std::mem::take(&mut text) });
    }
    Ok(items)
}

/// The name that a declaration of a function, of a function's type or of an opaque type gives.
fn named(declaration: &str) -> Option<String> {
    let name = if let Some((_, rest)) = declaration.split_once("(*") {
        rest.split(')').next()?
    } else if let Some((before, _)) = declaration.split_once('(') {
        before.rsplit([' ', '*']).next()?
    } else {
        declaration.trim_end_matches(';').rsplit(' ').next()?
    };
    Some(name.to_owned())
}

/// The initialisers by the record that they are for, and what stands behind them.
fn initialisers(trailer: &str) -> Result<(BTreeMap<String, Vec<String>>, &str)> {
    let at = trailer.find("\n#endif").context(|| "no end of the header".to_owned())?;
    let (macros, end) = trailer.split_at(at);
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut lines = macros.lines().filter(|line| !line.is_empty());
    while let Some(line) = lines.next() {
        let name = line.strip_prefix("#define ").context(|| format!("not an initialiser: {line}"))?;
        let name = name.split(' ').next().unwrap_or_default().trim_end_matches('_');
        let record = name.strip_suffix("_INIT").context(|| format!("not an initialiser: {line}"))?.to_lowercase();
        let mut text = format!("{line}\n");
        while text.ends_with("\\\n") {
            text.push_str(lines.next().unwrap_or_default());
            text.push('\n');
        }
        found.entry(record).or_default().push(text);
    }
    Ok((found, end))
}

/// What a module exports, in its order.
fn defined(source: &str) -> Vec<String> {
    let starts =
        ["pub struct ", "pub enum ", "pub type ", "pub const ", "pub extern \"C\" fn ", "pub unsafe extern \"C\" fn "];
    source
        .lines()
        .filter_map(|line| starts.iter().find_map(|start| line.strip_prefix(start)))
        .map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "\
#define LVS_H
/* Items. */

/**
 * A size.
 */
#define LVS_SIZE 4

/**
 * A role.
 */
enum lvs_role
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Sends.
   */
  LVS_ROLE_MASTER = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum lvs_role lvs_role;
#else
typedef uint32_t lvs_role;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A handle.
 */
typedef struct lvs_thing lvs_thing;

typedef struct lvs_place {
  uint32_t x;
} lvs_place;

typedef bool (*lvs_visitor)(const struct lvs_place *place, void *user);

#ifdef __cplusplus
extern \"C\" {
#endif // __cplusplus

LVS_NODISCARD
lvs_role lvs_place_role(const struct lvs_place *place,
                        struct lvs_thing *thing);

void lvs_thing_free(struct lvs_thing *thing);

#ifdef __cplusplus
}  // extern \"C\"
#endif  // __cplusplus

/* Initialisers. */
#define LVS_PLACE_INIT {0}

#endif /* LVS_H */
";

    fn section(title: &str, source: &str) -> Section {
        Section { module: title.to_lowercase(), title: title.into(), source: source.into() }
    }

    #[test]
    fn items_stand_in_their_section_types_before_functions() {
        let places = "pub const LVS_SIZE: usize = 4;\npub enum lvs_role {\npub struct lvs_place {\n\
                      pub unsafe extern \"C\" fn lvs_place_role(\npub type lvs_visitor = x;\n";
        let things = "pub struct lvs_thing(u8);\npub extern \"C\" fn lvs_thing_free(\n";
        let text = arrange(HEADER, &[section("Places", places), section("Things", things)]).unwrap();
        let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what} is missing in\n{text}"));
        let order = [
            "/* Places ---",
            "#define LVS_SIZE 4",
            "LVS_ENUM(lvs_role) {\n  /**\n   * Sends.\n   */\n  LVS_ROLE_MASTER = 1,\n};\n",
            "typedef struct lvs_place {\n  uint32_t x;\n} lvs_place;\n#define LVS_PLACE_INIT {0}\n",
            "typedef bool (*lvs_visitor)",
            "typedef struct lvs_thing lvs_thing;\n\nLVS_NODISCARD\nlvs_role lvs_place_role(",
            "/* Things ---",
            " * A handle.",
            "void lvs_thing_free(",
            "#endif /* LVS_H */",
        ];
        assert!(order.windows(2).all(|pair| at(pair[0]) < at(pair[1])), "{text}");
        assert_eq!(text.matches("typedef struct lvs_thing lvs_thing;").count(), 1);
        assert!(!text.contains("typedef enum lvs_role lvs_role"));
    }

    #[test]
    fn an_item_of_no_module_is_an_error() {
        assert!(arrange(HEADER, &[section("Nothing", "")]).is_err());
    }
}
