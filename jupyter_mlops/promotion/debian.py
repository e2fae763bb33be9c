"""What a slim Python image of Debian has, and which package brings what it has not: tables.

Names are those of Debian 12; where Debian 13 calls a package otherwise (``libglib2.0-0t64``), it provides the old name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# glibc, the compiler's runtime, and what CPython itself links to.
IN_BASE = re.compile(
    r"(ld-linux.*|linux-vdso|lib(c|m|dl|rt|util|pthread|resolv|anl|mvec|crypt|gcc_s|stdc\+\+|z|bz2|lzma|zstd|ffi|ssl|crypto"
    r"|sqlite3|readline|ncursesw|tinfo|uuid|python3(\.\d+)?|thread_db|nss_\w+|cap|selinux|acl|attr|lz4|xxhash|udev|gmp))"
    r"\.so(\.\d+)*\Z"
)
OF_DRIVER = re.compile(r"lib(cuda|nvidia-.*|nvcuvid|nvoptix)\.so")
LIBRARIES: Mapping[str, str] = {
    "libgomp.so.1": "libgomp1", "libgfortran.so.5": "libgfortran5", "libquadmath.so.0": "libquadmath0",
    "libatomic.so.1": "libatomic1", "libopenblas.so.0": "libopenblas0", "libblas.so.3": "libblas3",
    "liblapack.so.3": "liblapack3", "libnuma.so.1": "libnuma1", "libtbb.so.12": "libtbb12",
    "libmpi.so.40": "libopenmpi3", "libOpenCL.so.1": "ocl-icd-libopencl1", "libhwloc.so.15": "libhwloc15",
    "libGL.so.1": "libgl1", "libGLX.so.0": "libglx0", "libEGL.so.1": "libegl1",
    "libOpenGL.so.0": "libopengl0", "libGLU.so.1": "libglu1-mesa", "libOSMesa.so.8": "libosmesa6",
    "libvulkan.so.1": "libvulkan1", "libglib-2.0.so.0": "libglib2.0-0", "libgthread-2.0.so.0": "libglib2.0-0",
    "libgobject-2.0.so.0": "libglib2.0-0", "libgio-2.0.so.0": "libglib2.0-0",
    "libgmodule-2.0.so.0": "libglib2.0-0", "libSM.so.6": "libsm6", "libICE.so.6": "libice6",
    "libX11.so.6": "libx11-6", "libXext.so.6": "libxext6", "libXrender.so.1": "libxrender1",
    "libXt.so.6": "libxt6", "libXi.so.6": "libxi6", "libXft.so.2": "libxft2",
    "libXcursor.so.1": "libxcursor1", "libXinerama.so.1": "libxinerama1", "libXrandr.so.2": "libxrandr2",
    "libXss.so.1": "libxss1", "libxcb.so.1": "libxcb1", "libxkbcommon.so.0": "libxkbcommon0",
    "libfontconfig.so.1": "libfontconfig1", "libfreetype.so.6": "libfreetype6", "libcairo.so.2": "libcairo2",
    "libpango-1.0.so.0": "libpango-1.0-0", "libpangocairo-1.0.so.0": "libpangocairo-1.0-0",
    "libharfbuzz.so.0": "libharfbuzz0b", "libgdk_pixbuf-2.0.so.0": "libgdk-pixbuf-2.0-0",
    "libdbus-1.so.3": "libdbus-1-3", "libnss3.so": "libnss3", "libpng16.so.16": "libpng16-16",
    "libjpeg.so.62": "libjpeg62-turbo", "libtiff.so.6": "libtiff6", "libwebp.so.7": "libwebp7",
    "libpq.so.5": "libpq5", "libmariadb.so.3": "libmariadb3", "libodbc.so.2": "libodbc2",
    "libsybdb.so.5": "libsybdb5", "libxml2.so.2": "libxml2", "libxslt.so.1": "libxslt1.1",
    "libexslt.so.0": "libxslt1.1", "libyaml-0.so.2": "libyaml-0-2", "libexpat.so.1": "libexpat1",
    "libcurl.so.4": "libcurl4", "libsasl2.so.2": "libsasl2-2", "libkrb5.so.3": "libkrb5-3",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2", "libcom_err.so.2": "libcom-err2",
    "libldap-2.5.so.0": "libldap-2.5-0", "librdkafka.so.1": "librdkafka1", "libzmq.so.5": "libzmq5",
    "libtirpc.so.3": "libtirpc3", "libnsl.so.2": "libnsl2", "libgeos_c.so.1": "libgeos-c1v5",
    "libproj.so.25": "libproj25", "libgdal.so.32": "libgdal32", "libspatialindex.so.6": "libspatialindex6",
    "libhdf5_serial.so.103": "libhdf5-103-1", "libnetcdf.so.19": "libnetcdf19",
    "libsndfile.so.1": "libsndfile1", "libportaudio.so.2": "libportaudio2", "libasound.so.2": "libasound2",
    "libusb-1.0.so.0": "libusb-1.0-0", "libmagic.so.1": "libmagic1", "libcgraph.so.6": "libcgraph6",
    "libgvc.so.6": "libgvc6", "libtk8.6.so": "libtk8.6", "libtcl8.6.so": "libtcl8.6",
    "libgsl.so.27": "libgsl27", "libfftw3.so.3": "libfftw3-double3", "libsodium.so.23": "libsodium23",
    "libmpfr.so.6": "libmpfr6",
}  # fmt: skip
# Of distributions: programs that they call, and libraries that they open by name when they are used.
BY_DISTRIBUTION: Mapping[str, tuple[str, ...]] = {
    "graphviz": ("graphviz",), "pydot": ("graphviz",), "pygraphviz": ("graphviz",),
    "pytesseract": ("tesseract-ocr",), "pdf2image": ("poppler-utils",), "python-magic": ("libmagic1",),
    "pydub": ("ffmpeg",), "ffmpeg-python": ("ffmpeg",), "gitpython": ("git",),
    "weasyprint": ("libpango-1.0-0", "libpangoft2-1.0-0"), "cairosvg": ("libcairo2",),
    "cairocffi": ("libcairo2",), "pyzbar": ("libzbar0",), "sounddevice": ("libportaudio2",),
    "pypandoc": ("pandoc",), "openslide-python": ("libopenslide0",), "camelot-py": ("ghostscript",),
    "pyenchant": ("libenchant-2-2",),
}  # fmt: skip
