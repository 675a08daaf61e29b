# The half of the Python tests that needs a kernel, in the environment that the other half runs in.
exec .venv/bin/python -m pytest -q -p no:cacheprovider -c lvs-py/pyproject.toml -m 'kernel and not slow' lvs-py/tests
