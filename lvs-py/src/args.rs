//! Numbers and times as arguments: what does not fit is an `InvalidInputError` that says what is
//! allowed. Which argument it was, pyo3 adds.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use pyo3::exceptions::{PyIndexError, PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyString};

use crate::errors::invalid;

/// The range of a whole number.
pub(crate) trait Range: TryFrom<i128> {
    /// The largest.
    const MAX: u128;
}

macro_rules! ranges {
    ($($number:ty)*) => { $(impl Range for $number { const MAX: u128 = <$number>::MAX as u128; })* };
}

ranges!(u8 u16 u32 u64);

/// A whole number from 0 to the largest of its type.
#[derive(Clone, Copy)]
pub(crate) struct Whole<T>(pub(crate) T);

impl<'py, T: Range> FromPyObject<'_, 'py> for Whole<T> {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let py = value.py();
        let range = || format!("a whole number from 0 to {}", T::MAX);
        let outside = || Ok::<_, PyErr>(invalid(py, format!("{} is not {}", shown(&value)?, range())));
        match value.extract::<i128>() {
            Ok(number) => T::try_from(number).map(Self).or_else(|_| Err(outside()?)),
            Err(error) if error.is_instance_of::<PyOverflowError>(py) => Err(outside()?),
            Err(_) => Err(PyTypeError::new_err(format!("{} is not {}", given(&value)?, range()))),
        }
    }
}

/// A value as messages show it, cut where it is long.
fn shown(value: &Bound<'_, PyAny>) -> PyResult<String> {
    let text = value.repr().map_or_else(|_| "a number of many digits".to_owned(), |text| text.to_string());
    Ok(match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    })
}

/// The same with its type.
fn given(value: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(format!("{} ({})", shown(value)?, value.get_type().name()?))
}

/// Seconds as a number: of a `timedelta`, or as they are.
fn number(value: &Bound<'_, PyAny>) -> PyResult<f64> {
    if value.cast::<PyInt>().is_ok() && value.cast::<PyBool>().is_err() || value.cast::<PyFloat>().is_ok() {
        return value.extract().map_err(|_| invalid(value.py(), format!("{} seconds are too many", value)));
    }
    if value.cast::<PyString>().is_err() && value.hasattr("total_seconds")? {
        return value.call_method0("total_seconds")?.extract();
    }
    Err(PyTypeError::new_err(format!("{} is no time: seconds or a timedelta", given(value)?)))
}

/// Whole seconds of 32 bits: a number or a `timedelta`.
#[derive(Clone, Copy)]
pub(crate) struct Seconds(pub(crate) u32);

impl<'py> FromPyObject<'_, 'py> for Seconds {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let seconds = number(&value)?;
        if seconds.fract() != 0.0 || !(0.0..=f64::from(u32::MAX)).contains(&seconds) {
            let message = format!("{} is not a whole number of seconds from 0 to {}", shown(&value)?, u32::MAX);
            return Err(invalid(value.py(), message));
        }
        Ok(Self(seconds as u32))
    }
}

/// A time from 0 on: seconds, with fractions, or a `timedelta`.
#[derive(Clone, Copy)]
pub(crate) struct Span(pub(crate) Duration);

impl<'py> FromPyObject<'_, 'py> for Span {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        // A timedelta is exact.
        if let Ok(exact) = value.extract::<Duration>() {
            return Ok(Self(exact));
        }
        let span = Duration::try_from_secs_f64(number(&value)?);
        let refused = || Ok::<_, PyErr>(invalid(value.py(), format!("{} is no time from 0 on", shown(&value)?)));
        span.map(Self).or_else(|_| Err(refused()?))
    }
}

/// The index of a sequence, from its end if negative.
pub(crate) struct Index(isize);

impl Index {
    /// The place in a sequence of this length, if it has one.
    pub(crate) fn place(&self, length: usize) -> Option<usize> {
        let length = length as isize;
        let at = if self.0 < 0 { self.0 + length } else { self.0 };
        (0..length).contains(&at).then_some(at as usize)
    }
}

impl<'py> FromPyObject<'_, 'py> for Index {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        value.extract().map(Self).map_err(|error: PyErr| {
            // As of a list: no sequence is so long.
            let outside = error.is_instance_of::<PyOverflowError>(value.py());
            if outside { PyIndexError::new_err("index out of range") } else { error }
        })
    }
}

/// Text. Python's may have lone surrogates, as in names of files that are not UTF-8, and no text here
/// can.
pub(crate) trait AsText<'a> {
    fn text(self) -> PyResult<Cow<'a, str>>;
}

impl<'a> AsText<'a> for &'a Bound<'_, PyString> {
    fn text(self) -> PyResult<Cow<'a, str>> {
        self.to_cow().or_else(|_| {
            Err(invalid(self.py(), format!("{} has a lone surrogate, which is no character", shown(self)?)))
        })
    }
}

/// The same as an argument.
pub(crate) struct Text(pub(crate) String);

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::ops::Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'py> FromPyObject<'_, 'py> for Text {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(value.cast::<PyString>()?.text()?.into_owned()))
    }
}

/// The choice of a name. `is_not` is what the error says of another: `is no style`.
pub(crate) fn choice<T: Copy>(py: Python<'_>, name: &str, is_not: &str, choices: &[(&str, T)]) -> PyResult<T> {
    let chosen = choices.iter().find(|(known, _)| *known == name);
    chosen.map(|(_, choice)| *choice).ok_or_else(|| {
        let known: Vec<String> = choices.iter().map(|(known, _)| format!("{known:?}")).collect();
        invalid(py, format!("{name:?} {is_not}: expected {}", known.join(" or ")))
    })
}

/// Says of which argument an error is, as pyo3 does of those that it extracts itself.
pub(crate) trait OfArgument<T> {
    fn of_argument(self, py: Python<'_>, name: &str) -> PyResult<T>;
}

impl<T> OfArgument<T> for PyResult<T> {
    fn of_argument(self, py: Python<'_>, name: &str) -> PyResult<T> {
        self.map_err(|error| {
            if error.get_type(py).is(py.get_type::<PyTypeError>()) {
                return PyTypeError::new_err(format!("argument '{name}': {}", error.value(py)));
            }
            let _ = error.add_note(py, format!("while processing '{name}'"));
            error
        })
    }
}
