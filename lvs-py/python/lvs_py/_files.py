"""Files by path, whose failures are exceptions of this package."""

from __future__ import annotations

import os

from .exceptions import (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
    OperationError,
    PermissionDeniedError,
    SystemCallError,
)

__all__ = ["failed", "name", "read"]


def name(path: str | os.PathLike[str]) -> str:
    """The name of a file. A number is none, although `open` takes it for a descriptor, and closes that."""
    text = os.fspath(path)
    if not isinstance(text, str):
        raise TypeError(f"a path is text or an os.PathLike of text, not {type(text).__name__}")
    try:
        if b"\0" in os.fsencode(text):
            raise InvalidInputError(f"{text!r} is no path: it has a null byte")
    except UnicodeEncodeError as error:
        raise InvalidInputError(f"{text!r} is no path: {error.reason}") from error
    return text


def read(path: str | os.PathLike[str]) -> bytes:
    """The contents of a file."""
    file = name(path)
    try:
        with open(file, "rb") as opened:
            return opened.read()
    except OSError as error:
        raise failed("read", file, error) from error


def failed(what: str, path: str, error: OSError) -> OperationError:
    """The exception that an error of the system becomes."""
    kind: type[OperationError] = SystemCallError
    for builtin, ours in (
        (FileNotFoundError, NotFoundError),
        (FileExistsError, AlreadyExistsError),
        (PermissionError, PermissionDeniedError),
    ):
        if isinstance(error, builtin):
            kind = ours
    return kind(f"cannot {what} {path}: {error.strerror}", error.errno)
