//! Columns through Arrow's C data interface: `__arrow_c_stream__` and `__arrow_c_schema__`, which pyarrow, polars, pandas and
//! others read without a copy.
//!
//! The structures are those of the specification (Arrow Columnar Format, "The Arrow C data interface" and "The Arrow C
//! stream interface"). Ownership: what we hand out is released by whoever took it, by calling its `release`, or by the
//! capsule's destructor if nobody took it.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;
use std::sync::Arc;

use pyo3::ffi as py_ffi;
use pyo3::prelude::*;

use crate::columns::{Column, Named};

#[repr(C)]
struct ArrowSchema {
    format: *const c_char,
    name: *const c_char,
    metadata: *const c_char,
    flags: i64,
    n_children: i64,
    children: *mut *mut ArrowSchema,
    dictionary: *mut ArrowSchema,
    release: Option<unsafe extern "C" fn(*mut ArrowSchema)>,
    private_data: *mut c_void,
}

#[repr(C)]
struct ArrowArray {
    length: i64,
    null_count: i64,
    offset: i64,
    n_buffers: i64,
    n_children: i64,
    buffers: *mut *const c_void,
    children: *mut *mut ArrowArray,
    dictionary: *mut ArrowArray,
    release: Option<unsafe extern "C" fn(*mut ArrowArray)>,
    private_data: *mut c_void,
}

#[repr(C)]
struct ArrowArrayStream {
    get_schema: Option<unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowSchema) -> c_int>,
    get_next: Option<unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowArray) -> c_int>,
    get_last_error: Option<unsafe extern "C" fn(*mut ArrowArrayStream) -> *const c_char>,
    release: Option<unsafe extern "C" fn(*mut ArrowArrayStream)>,
    private_data: *mut c_void,
}

/// What a schema owns: its name, and the pointers to its children.
struct SchemaOwner {
    _name: CString,
    children: Vec<*mut ArrowSchema>,
}

/// What an array owns: the columns that its buffers lie in, the pointers to them and to its children.
struct ArrayOwner {
    _columns: Arc<Vec<Named>>,
    buffers: Vec<*const c_void>,
    children: Vec<*mut ArrowArray>,
}

/// What a stream owns: the columns, until they were read.
struct StreamOwner {
    columns: Arc<Vec<Named>>,
    read: bool,
}

fn schema(name: &str, format: &'static CStr, children: Vec<ArrowSchema>) -> ArrowSchema {
    let name = CString::new(name).unwrap_or_default();
    let children = children.into_iter().map(|child| Box::into_raw(Box::new(child))).collect();
    let mut owner = Box::new(SchemaOwner { _name: name, children });
    ArrowSchema {
        format: format.as_ptr(),
        name: owner._name.as_ptr(),
        metadata: ptr::null(),
        flags: 0,
        n_children: owner.children.len() as i64,
        children: owner.children.as_mut_ptr(),
        dictionary: ptr::null_mut(),
        release: Some(release_schema),
        private_data: Box::into_raw(owner).cast(),
    }
}

/// Releases a schema and its children.
///
/// # Safety
/// `schema` was made by [`schema`] and was not released before; the specification demands both of the caller.
unsafe extern "C" fn release_schema(schema: *mut ArrowSchema) {
    // SAFETY: `private_data` is the box that `schema()` leaked, and each child one that it leaked, released here once.
    unsafe {
        let owner = Box::from_raw((*schema).private_data.cast::<SchemaOwner>());
        for child in &owner.children {
            let mut child = Box::from_raw(*child);
            if let Some(release) = child.release {
                release(&raw mut *child);
            }
        }
        (*schema).release = None;
    }
}

fn array(
    columns: &Arc<Vec<Named>>,
    length: usize,
    buffers: Vec<*const c_void>,
    children: Vec<ArrowArray>,
) -> ArrowArray {
    let children = children.into_iter().map(|child| Box::into_raw(Box::new(child))).collect();
    let mut owner = Box::new(ArrayOwner { _columns: columns.clone(), buffers, children });
    ArrowArray {
        length: length as i64,
        null_count: 0,
        offset: 0,
        n_buffers: owner.buffers.len() as i64,
        n_children: owner.children.len() as i64,
        buffers: owner.buffers.as_mut_ptr(),
        children: owner.children.as_mut_ptr(),
        dictionary: ptr::null_mut(),
        release: Some(release_array),
        private_data: Box::into_raw(owner).cast(),
    }
}

/// Releases an array and its children.
///
/// # Safety
/// `array` was made by [`array`] and was not released before; the specification demands both of the caller.
unsafe extern "C" fn release_array(array: *mut ArrowArray) {
    // SAFETY: `private_data` is the box that `array()` leaked. A child that the consumer moved out has no `release` any
    // more, and only its shell is freed.
    unsafe {
        let owner = Box::from_raw((*array).private_data.cast::<ArrayOwner>());
        for child in &owner.children {
            let mut child = Box::from_raw(*child);
            if let Some(release) = child.release {
                release(&raw mut *child);
            }
        }
        (*array).release = None;
    }
}

fn table_schema(columns: &[Named]) -> ArrowSchema {
    let children = columns.iter().map(|(name, column)| {
        let format = match column {
            Column::F64(_) => c"g",
            Column::U64(_) => c"L",
            Column::U32(_) => c"I",
            Column::U16(_) => c"S",
            Column::Text { .. } => c"u",
        };
        schema(name, format, Vec::new())
    });
    schema("", c"+s", children.collect())
}

fn table_array(columns: &Arc<Vec<Named>>) -> ArrowArray {
    let rows = columns.first().map_or(0, |(_, column)| column.len());
    let children = columns.iter().map(|(_, column)| {
        // The first buffer would say which cells are missing: none are.
        let buffers = match column {
            Column::F64(values) => vec![ptr::null(), values.as_ptr().cast()],
            Column::U64(values) => vec![ptr::null(), values.as_ptr().cast()],
            Column::U32(values) => vec![ptr::null(), values.as_ptr().cast()],
            Column::U16(values) => vec![ptr::null(), values.as_ptr().cast()],
            Column::Text { ends, bytes } => vec![ptr::null(), ends.as_ptr().cast(), bytes.as_ptr().cast()],
        };
        array(columns, column.len(), buffers, Vec::new())
    });
    array(columns, rows, vec![ptr::null()], children.collect())
}

/// # Safety
/// As the specification demands: `stream` is one of ours, not released; `out` is writable.
unsafe extern "C" fn stream_schema(stream: *mut ArrowArrayStream, out: *mut ArrowSchema) -> c_int {
    // SAFETY: `private_data` is the box of `stream()`, alive until released.
    unsafe {
        let owner = &*(*stream).private_data.cast::<StreamOwner>();
        out.write(table_schema(&owner.columns));
    }
    0
}

/// # Safety
/// As the specification demands: `stream` is one of ours, not released; `out` is writable.
unsafe extern "C" fn stream_next(stream: *mut ArrowArrayStream, out: *mut ArrowArray) -> c_int {
    // SAFETY: `private_data` is the box of `stream()`, alive until released; one caller at a time.
    unsafe {
        let owner = &mut *(*stream).private_data.cast::<StreamOwner>();
        if owner.read {
            // The end is an array without `release`.
            out.write(std::mem::zeroed());
        } else {
            owner.read = true;
            out.write(table_array(&owner.columns));
        }
    }
    0
}

/// # Safety
/// Reads nothing.
unsafe extern "C" fn stream_error(_stream: *mut ArrowArrayStream) -> *const c_char {
    ptr::null()
}

/// # Safety
/// As the specification demands: `stream` is one of ours, not released before.
unsafe extern "C" fn release_stream(stream: *mut ArrowArrayStream) {
    // SAFETY: `private_data` is the box of `stream()`, released here once.
    unsafe {
        drop(Box::from_raw((*stream).private_data.cast::<StreamOwner>()));
        (*stream).release = None;
    }
}

const STREAM: &CStr = c"arrow_array_stream";
const SCHEMA: &CStr = c"arrow_schema";

/// # Safety
/// Called by Python on a capsule that `stream()` made.
unsafe extern "C" fn drop_stream(capsule: *mut py_ffi::PyObject) {
    // SAFETY: the capsule holds the box that `stream()` leaked; a consumer that took the stream has cleared `release`.
    unsafe {
        let stream = py_ffi::PyCapsule_GetPointer(capsule, STREAM.as_ptr()).cast::<ArrowArrayStream>();
        if !stream.is_null() {
            let mut stream = Box::from_raw(stream);
            if let Some(release) = stream.release {
                release(&raw mut *stream);
            }
        }
    }
}

/// # Safety
/// Called by Python on a capsule that `schema_capsule()` made.
unsafe extern "C" fn drop_schema(capsule: *mut py_ffi::PyObject) {
    // SAFETY: the capsule holds the box that `schema_capsule()` leaked; a consumer that took it has cleared `release`.
    unsafe {
        let schema = py_ffi::PyCapsule_GetPointer(capsule, SCHEMA.as_ptr()).cast::<ArrowSchema>();
        if !schema.is_null() {
            let mut schema = Box::from_raw(schema);
            if let Some(release) = schema.release {
                release(&raw mut *schema);
            }
        }
    }
}

/// The columns as a capsule with a stream of one batch.
pub(crate) fn stream<'py>(py: Python<'py>, columns: &Arc<Vec<Named>>) -> PyResult<Bound<'py, PyAny>> {
    let owner = Box::new(StreamOwner { columns: columns.clone(), read: false });
    let stream = Box::into_raw(Box::new(ArrowArrayStream {
        get_schema: Some(stream_schema),
        get_next: Some(stream_next),
        get_last_error: Some(stream_error),
        release: Some(release_stream),
        private_data: Box::into_raw(owner).cast(),
    }));
    // SAFETY: the interpreter is attached, the name is static, and the destructor frees what is handed over.
    unsafe {
        Bound::from_owned_ptr_or_err(py, py_ffi::PyCapsule_New(stream.cast(), STREAM.as_ptr(), Some(drop_stream)))
    }
}

/// The columns' types as a capsule.
pub(crate) fn schema_capsule<'py>(py: Python<'py>, columns: &[Named]) -> PyResult<Bound<'py, PyAny>> {
    let schema = Box::into_raw(Box::new(table_schema(columns)));
    // SAFETY: the interpreter is attached, the name is static, and the destructor frees what is handed over.
    unsafe {
        Bound::from_owned_ptr_or_err(py, py_ffi::PyCapsule_New(schema.cast(), SCHEMA.as_ptr(), Some(drop_schema)))
    }
}
