"""Rules text: read, refused with places, written, saved."""

from __future__ import annotations

import pickle
import traceback
from pathlib import Path

import pytest

import lvs_py
from lvs_py import Operation, procfs, rules

TEXT = """\
# the shop
-A -t 192.0.2.1:80 -s wrr -p 300
-a -t 192.0.2.1:80 -r 198.51.100.7:8080 -m -w 3
-A -f 7 -s rr
"""


def test_rules_describe_a_table() -> None:
    script = rules.parse(TEXT)
    assert len(script) == 3 and script.comments == [(1, " the shop")] and script.lines == [2, 3, 4]
    assert script.operations()[1] == Operation.add_destination(
        "tcp://192.0.2.1:80", lvs_py.Destination("198.51.100.7", 8080, forwarding="masq", weight=3)
    )
    table = script.to_table()
    assert [str(item.key) for item in table] == ["tcp://192.0.2.1:80", "fwmark:7"]
    assert rules.parse(rules.format(table)).to_table() == table


def test_all_mistakes_come_at_once_with_their_places() -> None:
    text = "-A -t 192.0.2.1:80 -s\n-A -t nosuch:80\n-a -t 192.0.2.1:80 -r 198.51.100.7 -w heavy\n"
    with pytest.raises(lvs_py.RulesSyntaxError) as caught:
        rules.parse(text, filename="shop.rules")
    error = caught.value
    assert isinstance(error, SyntaxError) and isinstance(error, ValueError)
    assert [(d.line, d.column) for d in error.diagnostics] == [(1, 22), (2, 7), (3, 39)]
    assert (error.line, error.column, error.lineno, error.offset, error.filename) == (1, 22, 1, 22, "shop.rules")
    assert str(error.diagnostics[0]) == (
        "line 1, column 22: expected a scheduler name after `-s`\n"
        "  |\n"
        "1 | -A -t 192.0.2.1:80 -s\n"
        "  |                      ^"
    )
    assert error.diagnostics == rules.check(text)
    assert pickle.loads(pickle.dumps(error)).diagnostics == error.diagnostics


def test_a_traceback_shows_the_line_and_a_caret() -> None:
    with pytest.raises(lvs_py.RulesSyntaxError) as caught:
        rules.parse("-A -t 192.0.2.1:80 -s", filename="shop.rules")
    shown = "".join(traceback.format_exception_only(type(caught.value), caught.value))
    assert 'File "shop.rules", line 1' in shown and "-A -t 192.0.2.1:80 -s" in shown and "^" in shown


def test_rules_that_cannot_take_effect_are_mistakes_of_their_table() -> None:
    text = "-A -t 192.0.2.1:80\n-A -t 192.0.2.1:80\n-d -t 192.0.2.1:80 -r 198.51.100.7\n"
    script = rules.parse(text)
    with pytest.raises(lvs_py.RulesSyntaxError) as caught:
        script.to_table()
    assert [d.line for d in caught.value.diagnostics] == [2, 3]
    assert rules.check("-L") and not rules.check(TEXT)


def test_a_port_that_is_not_honoured_is_a_diagnostic_and_no_error() -> None:
    text = "-A -t 192.0.2.1:443\n-a -t 192.0.2.1:443 -r 198.51.100.7:8443 -g\n"
    [found] = rules.check(text)
    assert (found.line, found.column, found.end_column, found.is_error) == (2, 24, 41, False)
    assert found.message.endswith("use port 443, or masquerade")
    script = rules.parse(text)
    assert script.warnings == [found] and pickle.loads(pickle.dumps(found)) == found
    assert script.to_table()["tcp://192.0.2.1:443"].destinations[0].key.port == 443
    assert all(error.is_error for error in rules.check("-A\n-A"))


def test_what_ipvsadm_cannot_say_is_named() -> None:
    table = lvs_py.Table({"tcp://192.0.2.1:80": [lvs_py.Destination("198.51.100.7", 80, upper_threshold=9)]})
    [loss] = rules.losses(table)
    assert "its thresholds are lost" in loss
    assert rules.losses(table, dialect="lossless") == ()
    with pytest.raises(lvs_py.InvalidInputError, match="no dialect"):
        rules.format(table, dialect="nosuch")  # type: ignore[arg-type]


def test_files_are_loaded_and_replaced_at_once(tmp_path: Path) -> None:
    path = tmp_path / "shop.rules"
    table = rules.parse(TEXT).to_table()
    rules.save(path, table)
    assert rules.load(path).to_table() == table
    assert [entry.name for entry in tmp_path.iterdir()] == ["shop.rules"]
    path.write_text("-A")
    with pytest.raises(lvs_py.RulesSyntaxError) as caught:
        rules.load(path)
    assert caught.value.filename == str(path)


def test_a_snapshot_is_written_as_rules(director: lvs_py.Director) -> None:
    director.reconcile(rules.parse(TEXT).to_table())
    again = rules.parse(rules.format(director.snapshot())).to_table()
    assert again.sorted().services == rules.parse(TEXT).to_table().sorted().services


def test_bytes_are_rules_too() -> None:
    assert len(rules.parse(b"-A -f 7\n")) == 1
    assert rules.check(b"-A -t \xff\xfe\n")[0].line == 1
    with pytest.raises(TypeError):
        rules.parse(42)  # type: ignore[arg-type]


def test_a_file_that_fails_is_named_with_the_reason(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    for read in (rules.load, procfs.read_stats, lvs_py.read_connections):
        with pytest.raises(FileNotFoundError, match=str(missing)) as caught:
            read(missing)
        assert isinstance(caught.value, lvs_py.NotFoundError)
    with pytest.raises(lvs_py.NotFoundError, match="cannot write"):
        rules.save(missing / "file", lvs_py.Table())
    with pytest.raises(lvs_py.InvalidInputError, match="null byte"):
        rules.load("a\0b")
    # `open` would take a number for a descriptor, and close it.
    for read in (rules.load, procfs.read_stats):
        with pytest.raises(TypeError):
            read(1)  # type: ignore[arg-type]
