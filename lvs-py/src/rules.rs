//! The `ipvsadm` command language: `Script`, and the functions behind `lvs_py.rules`.

use std::ops::Range;

use lvs_core::rules::{Dialect, Emitter, Parser, Script, SyntaxError, SyntaxErrors, SystemResolver, Warning};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use crate::args::{AsText as _, Text, choice};
use crate::errors::class;
use crate::operation::PyOperation;
use crate::table::{PyTable, table_of};
use crate::turns;
use std::sync::Arc;

fn dialect(py: Python<'_>, name: &str) -> PyResult<Dialect> {
    choice(py, name, "is no dialect", &[("lossless", Dialect::Lossless), ("ipvsadm", Dialect::Ipvsadm)])
}

/// `RulesSyntaxError`, with a `Diagnostic` for each error.
fn syntax_error(py: Python<'_>, errors: &SyntaxErrors, text: &[u8], filename: Option<&str>) -> PyErr {
    let build = || -> PyResult<PyErr> {
        let place = |error: &SyntaxError| (error.line(), error.column(), error.span());
        let found = errors.iter().map(|error| diagnostic(py, text, error.message(), place(error), true));
        let diagnostics = found.collect::<PyResult<Vec<_>>>()?;
        let exception = class(py, "RulesSyntaxError")?.call1((diagnostics, filename))?;
        Ok(PyErr::from_value(exception))
    };
    build().unwrap_or_else(|error| error)
}

/// A `Diagnostic` at a line, a column, and a span of the text.
fn diagnostic<'py>(
    py: Python<'py>,
    text: &[u8],
    message: String,
    (line, column, span): (usize, usize, Range<usize>),
    is_error: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let width = String::from_utf8_lossy(text.get(span).unwrap_or_default()).chars().count();
    let source = text.split(|byte| *byte == b'\n').nth(line - 1).unwrap_or_default();
    let source = String::from_utf8_lossy(source).trim_end_matches('\r').to_owned();
    class(py, "Diagnostic")?.call1((message, line, column, column + width, source, is_error))
}

/// A rules file, read: its changes in order, its comments, the table it describes.
#[pyclass(name = "Script", module = "lvs_py", frozen)]
pub(crate) struct PyScript {
    script: Script,
    text: Box<[u8]>,
    filename: Option<String>,
}

#[pymethods]
impl PyScript {
    /// The changes that the text asks for, in order.
    fn operations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let operations = py.detach(|| self.script.operations()).map_err(|errors| self.error(py, &errors))?;
        turns::tuple(py, operations.into_iter().map(PyOperation))
    }

    /// The table that an empty director holds after all changes of the text.
    fn to_table(&self, py: Python<'_>) -> PyResult<PyTable> {
        let table = py.detach(|| self.script.to_table()).map_err(|errors| self.error(py, &errors))?;
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

    /// What the rules ask for that cannot work, although they are taken.
    #[getter]
    fn warnings<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let place = |warning: &Warning| (warning.line(), warning.column(), warning.span());
        let all = self.script.warnings.iter();
        all.map(|warning| diagnostic(py, &self.text, warning.message(), place(warning), false)).collect()
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
#[pyo3(signature = (text, *, dialect = Text::from("lossless"), names = false, filename = None))]
pub(crate) fn parse_rules(
    py: Python<'_>,
    text: &Bound<'_, PyAny>,
    dialect: Text,
    names: bool,
    filename: Option<Text>,
) -> PyResult<PyScript> {
    let text: Box<[u8]> = match text.cast::<PyBytes>() {
        Ok(bytes) => bytes.as_bytes().into(),
        Err(_) => text.cast::<PyString>()?.text()?.as_bytes().into(),
    };
    let (dialect, filename) = (self::dialect(py, &dialect)?, filename.map(|name| name.0));
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
#[pyo3(signature = (table, *, dialect = Text::from("lossless"), names = false))]
pub(crate) fn format_rules(
    py: Python<'_>,
    table: &Bound<'_, PyAny>,
    dialect: Text,
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
