//! The `ipvsadm` command language: `Script`, and the functions behind `lvs.rules`.

use std::borrow::Cow;

use lvs_core::rules::{Dialect, Emitter, Parser, Script, SyntaxErrors, SystemResolver};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use crate::errors::{class, invalid};
use crate::operation::PyOperation;
use crate::table::{PyTable, table_of};
use std::sync::Arc;

fn dialect(py: Python<'_>, name: &str) -> PyResult<Dialect> {
    match name {
        "lossless" => Ok(Dialect::Lossless),
        "ipvsadm" => Ok(Dialect::Ipvsadm),
        _ => Err(invalid(py, format!("{name:?} is no dialect: \"lossless\" or \"ipvsadm\""))),
    }
}

/// `RulesSyntaxError`, with a `Diagnostic` for each mistake.
fn syntax_error(py: Python<'_>, errors: &SyntaxErrors, text: &[u8], filename: Option<&str>) -> PyErr {
    let build = || -> PyResult<PyErr> {
        let diagnostic = class(py, "Diagnostic")?;
        let mut diagnostics = Vec::with_capacity(errors.len());
        for error in errors.iter() {
            let span = error.span();
            let width = String::from_utf8_lossy(text.get(span).unwrap_or_default()).chars().count();
            let line = text.split(|byte| *byte == b'\n').nth(error.line() - 1).unwrap_or_default();
            let line = String::from_utf8_lossy(line).trim_end_matches('\r').to_owned();
            let end = error.column() + width;
            diagnostics.push(diagnostic.call1((error.message(), error.line(), error.column(), end, line))?);
        }
        let exception = class(py, "RulesSyntaxError")?.call1((diagnostics, filename))?;
        Ok(PyErr::from_value(exception))
    };
    build().unwrap_or_else(|error| error)
}

/// A rules file, read: its changes in order, its comments, the table it describes.
#[pyclass(name = "Script", module = "lvs", frozen)]
pub(crate) struct PyScript {
    script: Script,
    text: Box<[u8]>,
    filename: Option<String>,
}

#[pymethods]
impl PyScript {
    /// The changes that the text asks for, in order.
    fn operations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let operations = self.script.operations().map_err(|errors| self.error(py, &errors))?;
        PyTuple::new(py, operations.into_iter().map(PyOperation))
    }

    /// The table that an empty director holds after all changes of the text.
    fn to_table(&self, py: Python<'_>) -> PyResult<PyTable> {
        let table = self.script.to_table().map_err(|errors| self.error(py, &errors))?;
        Ok(PyTable(Arc::new(table)))
    }

    /// The comments as pairs of line and text.
    #[getter]
    fn comments(&self) -> Vec<(usize, String)> {
        self.script.comments.iter().map(|comment| (comment.line, comment.text.clone())).collect()
    }

    /// The line of each operation, from 1.
    #[getter]
    fn lines(&self) -> Vec<usize> {
        self.script.rules.iter().map(|rule| rule.line).collect()
    }

    fn __len__(&self) -> usize {
        self.script.rules.len()
    }

    fn __repr__(&self) -> String {
        format!("<Script of {} rules>", self.script.rules.len())
    }
}

impl PyScript {
    fn error(&self, py: Python<'_>, errors: &SyntaxErrors) -> PyErr {
        syntax_error(py, errors, &self.text, self.filename.as_deref())
    }
}

/// Reads rules.
#[pyfunction]
#[pyo3(signature = (text, *, dialect = Cow::Borrowed("lossless"), names = false, filename = None))]
pub(crate) fn parse_rules(
    py: Python<'_>,
    text: &Bound<'_, PyAny>,
    dialect: Cow<'_, str>,
    names: bool,
    filename: Option<String>,
) -> PyResult<PyScript> {
    let text: Box<[u8]> = match text.cast::<PyBytes>() {
        Ok(bytes) => bytes.as_bytes().into(),
        Err(_) => text.cast::<PyString>()?.to_cow()?.as_bytes().into(),
    };
    let dialect = self::dialect(py, &dialect)?;
    // Names may ask the network.
    let parsed = py.detach(|| {
        let resolver = SystemResolver::new();
        let parser = Parser::new(dialect);
        if names { parser.with_resolver(&resolver).parse(&text) } else { parser.parse(&text) }
    });
    match parsed {
        Ok(script) => Ok(PyScript { script, text, filename }),
        Err(errors) => Err(syntax_error(py, &errors, &text, filename.as_deref())),
    }
}

/// Writes a table as rules, and says what they do not carry.
#[pyfunction]
#[pyo3(signature = (table, *, dialect = Cow::Borrowed("lossless"), names = false))]
pub(crate) fn format_rules(
    py: Python<'_>,
    table: &Bound<'_, PyAny>,
    dialect: Cow<'_, str>,
    names: bool,
) -> PyResult<(String, Vec<String>)> {
    let table = table_of(table)?;
    let dialect = self::dialect(py, &dialect)?;
    let emitted = py.detach(|| {
        let resolver = SystemResolver::new();
        let emitter = Emitter::new(dialect);
        if names { emitter.with_names(&resolver).table(&table) } else { emitter.table(&table) }
    });
    Ok((emitted.text, emitted.losses.iter().map(ToString::to_string).collect()))
}
