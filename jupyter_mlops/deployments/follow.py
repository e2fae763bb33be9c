"""``python -m jupyter_mlops.deployments.follow ROOT NAME``: goes along with a deployment's alias.

On the machine of a ``local`` deployment its supervisor keeps this running. The catalog is asked twice a second whether
anything was written at all, which costs next to nothing, and only then what.
"""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

from ..blobs import BlobStore
from ..catalog import Catalog
from ..errors import MlopsError, Unavailable
from ..models import ModelStore
from ..settings import Settings
from .book import Deployments

_SECONDS, _OUTAGE_SECONDS = 0.5, 5.0
log = logging.getLogger("follow")


def main() -> int:
    """Go on until the deployment follows nothing any more."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    root, name = Path(sys.argv[1]), sys.argv[2]
    settings = Settings.load(root)
    with Catalog.open(settings.catalog) as catalog:
        models = ModelStore(
            catalog, BlobStore(settings.blobs, settings.blob_options), trusted=settings.trusted_models
        )
        return follow(Deployments(catalog, models, root, trusted=settings.trusted_models), catalog, name)


def follow(deployments: Deployments, catalog: Catalog, name: str) -> int:
    """Look again and again."""
    token = ""
    while True:
        seconds = _SECONDS
        try:
            now = catalog.change_seq()
            if now != token:
                token = now
                if not deployments.get(name).alias:
                    return 0
                made = deployments.follow(name)
                if made is not None:
                    log.info("%s: revision %s answers", name, made.revision)
        except Unavailable as error:
            log.error("%s", error)
            token, seconds = "", _OUTAGE_SECONDS
        except MlopsError as error:  # said in the deployment's record, too
            log.error("%s", error)
        time.sleep(seconds)


if __name__ == "__main__":
    sys.exit(main())
