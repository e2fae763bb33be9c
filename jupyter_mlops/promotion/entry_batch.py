from ..blobs import BlobStore
from ..errors import InvalidInput, KernelUnavailable, MlopsError, NotFound, StorageUnavailable
from ..kernels import KernelPool, KernelRequest
from ..notebooks import files
from ..notebooks.execute import CancelToken, Limits, NotebookOutcome, Progress, run_cells
from ..notebooks.facts import inspect_source
from ..notebooks.inject import inject, secret_environment
from ..notebooks.parameters import Parameter, bind, describe, read_parameters
from ..notebooks.secrets import Mask, resolve
from ..settings import Settings
