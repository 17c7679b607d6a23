"""The object that is built for AVX-512 shares nothing that the linker may take for the rest of the program: `avx512_symbols.py LIB`.

A function that it has in common with other objects (an inline one that was not inlined) may come from either, and would end a
program on a CPU without AVX-512.
"""

import subprocess
import sys

lines = subprocess.run(["nm", "-C", "--defined-only", sys.argv[1]], check=True, text=True, capture_output=True).stdout.splitlines()
symbols = [line.split(maxsplit=2)[1:] for line in lines if len(line.split()) >= 3]
shared = [name for kind, name in symbols if kind in "WwVvu"]
own = [name for kind, name in symbols if kind == "T"]
if shared or len(own) != 1 or "keys_by_avx512" not in own[0]:
    sys.exit(f"expected one function and nothing to share, found {own} and {shared}")
