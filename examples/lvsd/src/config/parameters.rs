//! `${NAME}` in the strings of a file: values of its `[parameters]`, which may come from the
//! environment.

use std::borrow::Cow;
use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Findings;

/// Variables by name.
pub(super) type Environment = BTreeMap<String, String>;

/// The environment of this process, as far as it is text.
pub(super) fn environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Takes the table `parameters` out of a file and puts its values in place of their names. A file
/// without it stays as it is.
pub(super) fn substitute<'i>(root: &mut DeTable<'i>, environment: &'i Environment, found: &mut Findings<'_>) {
    let Some(parameters) = root.remove("parameters") else { return };
    let span = parameters.span();
    let DeValue::Table(parameters) = parameters.into_inner() else {
        found.add(span, "parameters is a table of names and their values");
        return;
    };
    let mut values = BTreeMap::new();
    for (name, value) in parameters {
        let clean = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if name.get_ref().is_empty() || !name.get_ref().chars().all(clean) {
            found.add(name.span(), format!("{:?} is not a name: letters, digits, - and _", name.get_ref()));
        }
        let read = found.take(value.span(), read(value.into_inner(), environment));
        // One that has no value is there, so that only its own place is named.
        values.insert(name.into_inner().into_owned(), read);
    }
    for (_, value) in root.iter_mut() {
        replace(value, &values, found);
    }
}

/// The value of a parameter: as it stands, or from the environment.
fn read<'i>(value: DeValue<'i>, environment: &'i Environment) -> Result<DeValue<'i>, String> {
    let form = || "a parameter is text, a number, true or false, or { environment = \"NAME\", default = VALUE }";
    let mut table = match value {
        DeValue::Table(table) => table,
        DeValue::Array(_) | DeValue::Datetime(_) => return Err(form().to_owned()),
        value => return Ok(value),
    };
    let name = table.remove("environment").map(Spanned::into_inner);
    let default = table.remove("default").map(Spanned::into_inner);
    let Some(DeValue::String(name)) = name else { return Err(form().to_owned()) };
    if !table.is_empty() || matches!(default, Some(DeValue::Array(_) | DeValue::Datetime(_) | DeValue::Table(_))) {
        return Err(form().to_owned());
    }
    match (environment.get(name.as_ref()), default) {
        (Some(text), _) => Ok(typed(text)),
        (None, Some(default)) => Ok(default),
        (None, None) => Err(format!("the environment has no {name}, and the parameter no default")),
    }
}

/// A text as the value that it would be in a file: a number, true or false if it reads as one.
fn typed(text: &str) -> DeValue<'_> {
    match DeValue::parse(text).map(Spanned::into_inner) {
        Ok(value @ (DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_))) => value,
        _ => DeValue::String(Cow::Borrowed(text)),
    }
}

fn replace<'i>(
    value: &mut Spanned<DeValue<'i>>,
    values: &BTreeMap<String, Option<DeValue<'i>>>,
    found: &mut Findings<'_>,
) {
    let span = value.span();
    match value.get_mut() {
        DeValue::Array(items) => {
            for item in items.iter_mut() {
                replace(item, values, found);
            }
        }
        DeValue::Table(table) => {
            for (_, entry) in table.iter_mut() {
                replace(entry, values, found);
            }
        }
        DeValue::String(text) if text.contains("${") => match filled(text, values) {
            Ok(Some(filled)) => *value.get_mut() = filled,
            Ok(None) => {}
            Err(error) => found.add(span, error),
        },
        _ => {}
    }
}

/// A string with values for names. One that is a name alone becomes the value, so that it may be a
/// number; nothing if a value is missing, which has been found at its own place.
fn filled<'i>(text: &str, values: &BTreeMap<String, Option<DeValue<'i>>>) -> Result<Option<DeValue<'i>>, String> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            result = result + before + "${";
            rest = after;
            continue;
        }
        let Some((name, behind)) = after.split_once('}') else {
            return Err(format!("{text:?}: ${{ without }} ($${{ stands for ${{)"));
        };
        let Some(value) = values.get(name) else {
            let known: Vec<_> = values.keys().map(String::as_str).collect();
            return Err(format!("no parameter {name:?}: there is {}", known.join(", ")));
        };
        let Some(value) = value else { return Ok(None) };
        if before.is_empty() && behind.is_empty() && result.is_empty() {
            return Ok(Some(value.clone()));
        }
        result += before;
        match value {
            DeValue::String(value) => result += value,
            DeValue::Integer(value) => result += &value.to_string(),
            DeValue::Float(value) => result += &value.to_string(),
            DeValue::Boolean(value) => result += &value.to_string(),
            _ => {}
        }
        rest = behind;
    }
    Ok(Some(DeValue::String(Cow::Owned(result + rest))))
}

#[cfg(test)]
mod tests {
    use super::super::{Cluster, ConfigError};

    const FILE: &str = r#"
[parameters]
vip = "192.0.2.1"
weight = 3
site = { environment = "SITE", default = "here" }
port = { environment = "PORT" }

[[service]]
name = "shop-${site}"
address = "tcp://${vip}:80"
forwarding = "masquerade"
[[service.server]]
address = "198.51.100.7:${port}"
weight = "${weight}"
[[service.server]]
address = "198.51.100.8"
weight = "${port}"
"#;

    fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Cluster, ConfigError> {
        Cluster::parse_in(text, &variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }

    #[test]
    fn values_of_the_file_and_of_the_environment_take_the_place_of_names() {
        let cluster = parse(FILE, &[("PORT", "8080")]).unwrap();
        assert_eq!(cluster.services[0].name.as_deref(), Some("shop-here"));
        let servers: Vec<_> =
            cluster.services[0].destinations().map(|one| format!("{} {}", one.key, one.weight)).collect();
        assert_eq!(servers, ["198.51.100.7:8080 3", "198.51.100.8:80 8080"]);
        let cluster = parse(FILE, &[("PORT", "8080"), ("SITE", "there")]).unwrap();
        assert_eq!(cluster.services[0].name.as_deref(), Some("shop-there"));
        // $$ stands for itself, and a file without parameters is as it always was.
        let text = "[[service]]\naddress = \"tcp://192.0.2.1:80\"\nname = \"${x}\"\n";
        assert_eq!(parse(text, &[]).unwrap().services[0].name.as_deref(), Some("${x}"));
        let text = format!("[parameters]\nx = 1\n{}", text.replace("${x}", "$${x}-${x}"));
        assert_eq!(parse(&text, &[]).unwrap().services[0].name.as_deref(), Some("${x}-1"));
    }

    #[test]
    fn what_is_wrong_with_a_parameter_is_named_at_its_place() {
        let error = |from: &str, to: &str, port: &[(&str, &str)]| {
            parse(&FILE.replace(from, to), port).map(drop).unwrap_err().to_string()
        };
        let port: &[(&str, &str)] = &[("PORT", "8080")];
        assert_eq!(error("", "", &[]), "cluster file:6:8: the environment has no PORT, and the parameter no default");
        let unknown = error("${vip}", "${wip}", port);
        assert!(
            unknown.starts_with("cluster file:10:11: ") && unknown.contains("port, site, vip, weight"),
            "{unknown}"
        );
        assert!(error("${vip}", "${vip", port).starts_with("cluster file:10:11: "));
        assert!(error("weight = 3", "weight = [3]", port).starts_with("cluster file:4:10: "));
        assert!(error("environment = \"PORT\"", "env = \"PORT\"", port).starts_with("cluster file:6:8: "));
        // A value that does not fit is an error where it is used.
        let wrong = error("weight = 3", "weight = \"much\"", port);
        assert!(wrong.starts_with("cluster file:14:10: "), "{wrong}");
        assert!(error("192.0.2.1\"", "192.0.2.256\"", port).starts_with("cluster file:10:11: "));
    }
}
