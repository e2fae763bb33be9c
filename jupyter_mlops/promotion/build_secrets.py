"""What a build may read and an image never keeps: pip's configuration, certificates and passwords of this machine.

They become secret mounts, so that a build works behind the same proxy and with the same private index as
``pip install`` does here.
"""

from __future__ import annotations

import configparser
import contextlib
import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InvalidInput, did_you_mean
from .dockerfile import SECRETS
from .indexes import pip_settings

# Of pip's settings those that mean something in a container; a folder of wheels would not be there.
_KEPT = ("index-url", "extra-index-url", "trusted-host", "cert")


@dataclass(frozen=True, slots=True)
class Secret:
    """A file that the build may read and the image does not keep; `name` is one of `dockerfile.SECRETS`."""

    name: str
    path: Path

    @classmethod
    def read(cls, text: str) -> Secret:
        """``NAME=PATH``. Raises `InvalidInput`."""
        name, _, path = text.partition("=")
        if name not in SECRETS:
            hint = did_you_mean(name, SECRETS)
            raise InvalidInput(f"there is no secret {name!r} in our Dockerfiles", hint=hint)
        if not path or not Path(path).is_file():
            raise InvalidInput(f"the secret {name} is to be the file {path!r}, which is not there")
        if "," in path:
            raise InvalidInput(f"{path}: a comma would end the file's name", hint="give it another name")
        return cls(name, Path(path))


@contextlib.contextmanager
def own_secrets(env: Mapping[str, str], given: Sequence[Secret] = ()) -> Iterator[Sequence[Secret]]:
    """What pip uses here, for a build to use too; those that are `given` win.

    pip's configuration is written anew, since it may come from several files and variables, to a file that
    only this user can read and that is gone afterwards.
    """
    found = {secret.name: secret for secret in given}
    netrc = Path(env.get("NETRC") or Path(env.get("HOME", "/"), ".netrc"))
    if netrc.is_file():
        found.setdefault("netrc", Secret("netrc", netrc))
    with tempfile.TemporaryDirectory(prefix="mlops-secrets-") as folder:
        settings = {name: value for name in _KEPT if (value := _reachable(pip_settings(env).get(name, "")))}
        certificates = _certificates(env, settings)
        if certificates is not None:
            found.setdefault("ca", Secret("ca", certificates))
        settings.pop("cert", None)
        if "ca" in found:  # pip has certificates of its own, unless it is told
            settings["cert"] = SECRETS["ca"]
        if settings and "pip_conf" not in found:
            path = Path(folder, "pip.conf")
            path.touch(mode=0o600)
            path.write_text(_written(settings), encoding="utf-8")
            found["pip_conf"] = Secret("pip_conf", path)
        yield list(found.values())


def _reachable(value: str) -> str:
    """A setting without the indexes that are folders of this machine."""
    return " ".join(word for word in value.split() if not word.startswith("file:"))


def _certificates(env: Mapping[str, str], settings: Mapping[str, str]) -> Path | None:
    known = [settings.get("cert")]
    known += [env.get(name) for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")]
    return next((Path(one) for one in known if one and Path(one).is_file()), None)


def _written(settings: Mapping[str, str]) -> str:
    parser = configparser.RawConfigParser()
    parser["global"] = dict(settings)
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()
