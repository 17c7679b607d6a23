#!/bin/bash -eu
# Builds the fuzz targets as OSS-Fuzz wants them (README.md): $CC, $CXX, $CFLAGS, $CXXFLAGS and
# $LIB_FUZZING_ENGINE are given; targets, corpora, dictionaries and libraries go to $OUT.
#
# FUZZ_TARGETS: some targets only, as "query name".
root=$(cd "$(dirname "$0")/../../.." && pwd)
build=${WORK:?}/steerdns

# Boost, yaml-cpp and DPDK come from the distribution, which uses libstdc++.
export CXXFLAGS="${CXXFLAGS//-stdlib=libc++/} -stdlib=libstdc++"
# The targets find their libraries beside them, and these find each other (RPATH, not RUNPATH).
export LDFLAGS="${LDFLAGS:-} $CXXFLAGS -Wl,--disable-new-dtags -Wl,-rpath,\$ORIGIN/lib"

[ -e "$build/build.ninja" ] || meson setup "$build" "$root" --buildtype=plain -Dwerror=false -Dlto=false -Db_lundef=false \
    -Dmarch=x86-64-v2 -Dfuzzers=true "-Dfuzzing_engine=$LIB_FUZZING_ENGINE"

targets=${FUZZ_TARGETS:-$(cd "$root/tests/fuzz/corpus" && printf '%s\n' fuzz_* | sed 's/^fuzz_//')}
# shellcheck disable=SC2046,SC2086  # lists of words
ninja -C "$build" $(printf 'tests/fuzz/fuzz_%s ' $targets)

mkdir -p "$OUT/lib"
for target in $targets; do
    program=$OUT/fuzz_$target
    cp "$build/tests/fuzz/fuzz_$target" "$program"
    # The machine that runs the targets has none of these libraries; libc and the loader are its own.
    ldd "$build/tests/fuzz/fuzz_$target" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | grep -Ev '/(libc|libm|libdl|libpthread|librt|ld-linux[^/]*)\.so' |
        while read -r library; do cp -Lu "$library" "$OUT/lib/"; done
    rm -f "${program}_seed_corpus.zip"
    (cd "$root/tests/fuzz/corpus/fuzz_$target" && zip -qr "${program}_seed_corpus.zip" .)
    printf '[libfuzzer]\nrss_limit_mb = 2048\ntimeout = 20\n' >"$program.options"
    # A dictionary names its targets in a line `# for: TARGET…`.
    for dictionary in "$root"/tests/fuzz/dictionaries/*.dict; do
        grep -qE "^# for:( .*)? $target( |\$)" "$dictionary" || continue
        cp "$dictionary" "$program.dict"
        break
    done
done
