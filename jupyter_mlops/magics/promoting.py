"""``%dockerize``: a notebook, a pipeline or a model as a container image."""

from __future__ import annotations

from typing import Any

from .magic import Call, Magic
from .options import Argument, Option, Syntax


def _dockerize(call: Call) -> Any:
    from ..session import promoting

    given = call.given
    return promoting.dockerize(
        given["target"],
        output=given.get("output"),
        build=given.has("build"),
        push=given.get("push", ""),
        name=given.get("name", ""),
        builder=given.get("builder", ""),
        save=given.get("save"),
        base=given.get("base", ""),
        pin=given.has("pin"),
        platform=given.get("platform", ""),
        architectures=given.get("arch", ()),
        requirements=given.get("requirement", ()),
        packages=given.get("package", ()),
        include_local=given.has("include_local"),
        split=given.has("split"),
        lock=not given.has("no_lock"),
    )


MAGICS = (
    Magic(
        name="dockerize",
        summary="Make a container image of a notebook, a pipeline, or models:/NAME@ALIAS.",
        details="A notebook's image runs it, a model's serves it. Without --output, --build, --push or --save it only"
        " shows what would be taken, and why.",
        syntax=Syntax(
            arguments=[Argument(name="TARGET", help="a notebook, a pipeline's file, or models:/NAME@ALIAS")],
            options=[
                Option(name="output", short="o", help="a folder for the Dockerfile and what it needs", value="FOLDER"),
                Option(name="build", kind="flag", help="build the image"),
                Option(name="push", help="build it as registry/repository:tag, and push it", value="NAME"),
                Option(name="name", help="what a local image is called", value="NAME"),
                Option(name="save", help="write the image to a file, which needs no builder", value="FILE.tar"),
                Option(name="builder", help="what builds it", choices=("docker", "podman", "buildah", "python")),
                Option(name="base", help="instead of the official Python image", value="IMAGE"),
                Option(name="pin", kind="flag", help="stand on the base's digest of today"),
                Option(name="platform", help="where it must run, if that asks for something", choices=("sagemaker",)),
                Option(name="arch", help="what it runs on", is_repeated=True, choices=("linux/amd64", "linux/arm64")),
                Option(name="requirement", help="a distribution besides", is_repeated=True, value="TEXT"),
                Option(name="package", help="a Debian package besides", is_repeated=True, value="NAME"),
                Option(name="include-local", kind="flag", help="take modules of editable installations along"),
                Option(name="split", kind="flag", help="an image for each notebook of a pipeline"),
                Option(name="no-lock", kind="flag", help="ask no index: for a look at what would be taken"),
            ],
        ),
        examples=(
            "%dockerize train.ipynb --no-lock",
            "%dockerize train.ipynb -o image",
            "%dockerize models:/delay@champion --push registry.example.com/delay:3",
        ),
        run=_dockerize,
    ),
)  # fmt: skip
