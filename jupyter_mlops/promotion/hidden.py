"""Distributions that no import names: an engine that pandas opens a file with, the driver of a URL.

A table from what the code calls to what it needs for that. Of several that would do, the first that is
installed is the one that works here, so that is taken; where none is installed the call would fail here too, and
a problem tells so only when nothing else could do it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Need(NamedTuple):
    """One of `any_of` (distributions) because of `why`; without a certain need (`is_certain`) silence is right."""

    any_of: tuple[str, ...]
    why: str
    is_certain: bool = False


_PARQUET = ("pyarrow", "fastparquet")
_NETCDF = ("netcdf4", "h5netcdf", "scipy")
# By the name of the function or method that is called, in code that imports the library.
_CALLS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "pandas": {
        "read_parquet": _PARQUET, "to_parquet": _PARQUET,
        "read_feather": ("pyarrow",), "to_feather": ("pyarrow",), "read_orc": ("pyarrow",), "to_orc": ("pyarrow",),
        "to_excel": ("openpyxl", "xlsxwriter"), "read_html": ("lxml", "html5lib"),
        "read_xml": ("lxml",), "to_xml": ("lxml",),
        "read_hdf": ("tables",), "to_hdf": ("tables",), "HDFStore": ("tables",),
        "to_sql": ("sqlalchemy",), "read_sql_table": ("sqlalchemy",),
        "to_markdown": ("tabulate",), "read_gbq": ("pandas-gbq",), "read_spss": ("pyreadstat",),
    },
    "polars": {
        "read_excel": ("fastexcel", "openpyxl"), "write_excel": ("xlsxwriter",), "to_pandas": ("pandas", "pyarrow"),
        "to_arrow": ("pyarrow",), "from_pandas": ("pyarrow",),
        "read_delta": ("deltalake",), "scan_delta": ("deltalake",),
    },
    "duckdb": {
        "df": ("pandas",), "fetchdf": ("pandas",), "pl": ("polars",),
        "arrow": ("pyarrow",), "fetch_arrow_table": ("pyarrow",),
    },
    "xarray": {"open_dataset": _NETCDF, "to_netcdf": _NETCDF, "open_zarr": ("zarr",)},
    "plotly": {"write_image": ("kaleido",)},
    "geopandas": {"read_file": ("pyogrio", "fiona")},
}  # fmt: skip
# Two of a kind are needed together.
_BOTH: Mapping[tuple[str, str], tuple[str, ...]] = {("polars", "to_pandas"): ("pandas", "pyarrow")}
_USUALLY: Mapping[str, Mapping[str, tuple[str, ...]]] = {  # not every call of that name is this library's
    "pandas": {"style": ("jinja2",), "plot": ("matplotlib",), "hist": ("matplotlib",), "boxplot": ("matplotlib",)},
}  # fmt: skip
_EXCEL = {".xls": ("xlrd",), ".xlsb": ("pyxlsb",), ".ods": ("odfpy",)}
_ENGINES = {
    "calamine": "python-calamine", "odf": "odfpy", "numexpr": "numexpr", "numba": "numba", "pyarrow": "pyarrow",
    "fastparquet": "fastparquet", "openpyxl": "openpyxl", "xlsxwriter": "xlsxwriter", "pyxlsb": "pyxlsb",
    "xlrd": "xlrd", "h5netcdf": "h5netcdf", "netcdf4": "netcdf4", "zarr": "zarr", "cfgrib": "cfgrib",
    "lxml": "lxml", "html5lib": "html5lib", "bs4": "beautifulsoup4",
}  # fmt: skip
# By the scheme of a URL that the code spells out: "dialect+driver" of SQLAlchemy, file systems of fsspec.
_SCHEMES: Mapping[str, tuple[str, ...]] = {
    "postgresql": ("psycopg2", "psycopg2-binary", "psycopg"), "postgres": ("psycopg2", "psycopg2-binary", "psycopg"),
    "postgresql+psycopg": ("psycopg",), "postgresql+psycopg2": ("psycopg2", "psycopg2-binary"),
    "postgresql+asyncpg": ("asyncpg",), "postgresql+pg8000": ("pg8000",),
    "mysql": ("mysqlclient",), "mysql+pymysql": ("pymysql",), "mysql+mysqldb": ("mysqlclient",),
    "mysql+mysqlconnector": ("mysql-connector-python",), "mariadb+pymysql": ("pymysql",),
    "mssql": ("pyodbc",), "mssql+pyodbc": ("pyodbc",), "mssql+pymssql": ("pymssql",),
    "oracle": ("oracledb", "cx-oracle"), "oracle+oracledb": ("oracledb",), "oracle+cx_oracle": ("cx-oracle",),
    "snowflake": ("snowflake-sqlalchemy",), "bigquery": ("sqlalchemy-bigquery",),
    "redshift+psycopg2": ("sqlalchemy-redshift",),
    "clickhouse": ("clickhouse-sqlalchemy",), "trino": ("trino",), "databricks": ("databricks-sql-connector",),
    "duckdb": ("duckdb-engine", "duckdb"), "sqlite+aiosqlite": ("aiosqlite",),
    "s3": ("s3fs",), "s3a": ("s3fs",), "gs": ("gcsfs",), "gcs": ("gcsfs",),
    "abfs": ("adlfs",), "abfss": ("adlfs",), "az": ("adlfs",),
    "hf": ("huggingface-hub",), "redis": ("redis",), "rediss": ("redis",),
    "mongodb": ("pymongo",), "mongodb+srv": ("pymongo",),
}  # fmt: skip
_SQLALCHEMY = frozenset(
    {"postgresql", "mysql", "mssql", "oracle", "snowflake", "bigquery", "mariadb", "redshift"}
)
# By a module that is imported.
_MODULES: Mapping[str, tuple[str, ...]] = {
    "tqdm.notebook": ("ipywidgets",), "tqdm.auto": ("ipywidgets",), "plotly.express": ("pandas",),
    "flask_sqlalchemy": ("sqlalchemy",),
}  # fmt: skip
_SCHEME = re.compile(r"\A([a-z][a-z0-9]*(?:\+[a-z0-9_]+)?)://")


def of_call(name: str, libraries: frozenset[str], engine: str = "", path: str = "") -> Iterator[Need]:
    """What a call of `name` needs in code that imports `libraries`; `engine` and `path` as it spells them out."""
    if engine in _ENGINES and name.partition("_")[0] in (
        "read",
        "to",
        "open",
        "query",
        "eval",
        "ExcelWriter",
    ):
        yield Need((_ENGINES[engine],), f"{name}(engine={engine!r})", is_certain=True)
        return
    if name == "%matplotlib" and engine in ("widget", "ipympl", "notebook"):
        yield Need(("ipympl",), f"%matplotlib {engine}", is_certain=engine != "notebook")
        return
    if name in ("read_excel", "ExcelFile") and "pandas" in libraries:
        suffix = f".{path.rpartition('.')[2].lower()}" if "." in path else ""
        yield Need(_EXCEL.get(suffix, ("openpyxl", "python-calamine")), f"pandas {name}", is_certain=True)
        return
    for library, calls in _CALLS.items():
        if library in libraries and name in calls:
            together = _BOTH.get((library, name))
            for group in [(one,) for one in together] if together else [calls[name]]:
                yield Need(group, f"{library} {name}", is_certain=library != "duckdb")
    if name in ("artifact", "input") and "jupyter_mlops" in libraries and libraries & {"pandas", "polars"}:
        yield Need(("pyarrow",), f"{name} of a frame")
    for library, calls in _USUALLY.items():
        if library in libraries and name in calls:
            yield Need(calls[name], f"{library} .{name}")


def of_text(text: str, libraries: frozenset[str]) -> Iterator[Need]:
    """What a URL in the code needs; no more than the scheme goes into messages, since the rest may be secret."""
    match = _SCHEME.match(text)
    if match is None:
        return
    scheme = match[1]
    if scheme in _SCHEMES:
        yield Need(_SCHEMES[scheme], f"a URL {scheme}://…")
    if scheme.partition("+")[0] in _SQLALCHEMY and libraries & {"pandas", "sqlalchemy"}:
        yield Need(("sqlalchemy",), f"a URL {scheme}://…")


def of_module(module: str) -> Iterator[Need]:
    """What a module imports only when it is used."""
    for name, needed in _MODULES.items():
        if module == name or module.startswith(f"{name}."):
            yield Need(needed, f"import {name}")
