"""Builds the client of this folder: build.py GO OUTPUT FILE…

Its files are compiled inside the tree of quic-go, where Go lets them use the library's own packages.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

SOURCES = pathlib.Path("/usr/share/gocode")
LIBRARY = "github.com/lucas-clemente/quic-go"

go, output = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
files = [pathlib.Path(name).resolve() for name in sys.argv[3:]]
tree = SOURCES / "src" / LIBRARY
places = {tree / "raw_frame.go" if file.name == "raw_frame.go" else tree / "test_peer" / file.name: file for file in files}
with tempfile.TemporaryDirectory() as folder:
    overlay = pathlib.Path(folder) / "overlay.json"
    overlay.write_text(json.dumps({"Replace": {str(place): str(file) for place, file in places.items()}}))
    environment = {"GO111MODULE": "off", "GOPATH": str(SOURCES), "GOCACHE": f"{folder}/cache", "GOFLAGS": "", "CGO_ENABLED": "0"}
    sys.exit(subprocess.run([go, "build", "-overlay", overlay, "-o", output, f"{LIBRARY}/test_peer"], env={**os.environ, **environment}).returncode)
