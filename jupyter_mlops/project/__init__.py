"""A project around its pipelines: what `init` writes, what `test` tests, what `doctor` looks at.

Nothing is imported here: pytest loads `pytest_plugin` wherever this package is installed, asked for or not.
"""
