#!/usr/bin/env bash
# Build CPython for WASI as a plugin of sandboxd, with its library, from Debian's
# source packages: build.sh OUT WORK
#
# OUT gets python.wasm, library.zip and manifest.json. WORK is scratch: it takes
# 2 GB, and the logs are in it. Lines "stage: NAME" on standard output say how far
# it is. Six minutes on two cores.
#
# Same inputs, same bytes: the inputs are the packages, whose versions and digests
# the manifest records, and the files beside this one. Nothing of the machine, of
# the directories or of the date gets into the outputs.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1" "$2"
out=$(cd "$1" && pwd) work=$(cd "$2" && pwd)
log=$work/build.log
jobs=$(nproc)
: >"$log"

# Compilers and archivers put these in place of the time and of their own paths.
export SOURCE_DATE_EPOCH=1735689600 LC_ALL=C TZ=UTC PYTHONHASHSEED=0 ZERO_AR_DATE=1
unset CFLAGS CPPFLAGS LDFLAGS CXXFLAGS PYTHONPATH PYTHONHOME CONFIG_SITE

stage() { echo "stage: $1"; printf '\n== %s\n' "$1" >>"$log"; }
quietly() { "$@" >>"$log" 2>&1; }
cannot() { printf 'cannot build here: %s\n' "$1" >&2; trap - EXIT; exit 3; }
trap 'status=$?; [ "$status" -eq 0 ] || { echo "the build failed; the end of $log:" >&2; tail -n 25 "$log" >&2; }' EXIT

# --- what it takes -----------------------------------------------------------

packages=(clang-19 lld-19 llvm-19 libclang-rt-19-dev-wasm32 gcc libc6-dev make
    dpkg-dev pkg-config zlib1g-dev tcl xz-utils zip)

stage "packages"
command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
    cannot "the tools and sources come from Debian's package client (apt-get), which is not here. Build in a container of Debian 12: see Containerfile, or import a build that was made elsewhere (sandboxd runtimes import)."
[ "$(uname -m)" = x86_64 ] || [ "$(uname -m)" = aarch64 ] || cannot "the machine is $(uname -m); x86_64 and aarch64 are known to work."
command -v node >/dev/null && command -v npm >/dev/null ||
    cannot "Node.js and npm are needed, for wasm-opt: without it the module is three times slower once it is metered."
free=$(df -Pk "$work" | awk 'NR == 2 { print int($4 / 1024) }')
[ "$free" -ge 2500 ] || cannot "$work has $free MB left; 2500 are needed."

missing=()
for p in "${packages[@]}"; do
    dpkg-query -W -f '${Status}\n' "$p" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$p")
done
if [ ${#missing[@]} -gt 0 ]; then
    [ "$(id -u)" -eq 0 ] || cannot "these packages are missing: ${missing[*]}. Install them, or run this as root, for instance in a container."
    quietly apt-get update
    quietly env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" ||
        cannot "apt-get could not install: ${missing[*]} (Debian 12 with its security updates has them). See $log."
fi

# --- sources -------------------------------------------------------------------

stage "sources"
# The C library and CPython 3.13 are those of Debian 13. They are fetched with an
# apt of their own, from wherever the machine's own gets its packages.
archive() { apt-get indextargets --format '$(REPO_URI)' "Codename: $1" | head -n 1; }
debian=$(archive bookworm) security=$(archive bookworm-security)
[ -n "$debian" ] || debian=$(archive trixie) security=$(archive trixie-security)
[ -n "$debian" ] || cannot "no archive of Debian 12 or 13 is among apt's sources."
keys=/usr/share/keyrings/debian-archive-keyring.gpg
mkdir -p "$work"/apt/{lists,cache,parts} "$work/fetched"
{
    for kind in deb deb-src; do
        echo "$kind [signed-by=$keys] $debian trixie main"
        [ -z "$security" ] || echo "$kind [signed-by=$keys] $security trixie-security main"
    done
    echo "deb-src [signed-by=$keys] $debian bookworm main"
} >"$work/apt/sources.list"
trixie() {
    quietly apt-get -o Dir::Etc::SourceList="$work/apt/sources.list" -o Dir::Etc::SourceParts="$work/apt/parts" \
        -o Dir::State::Lists="$work/apt/lists" -o Dir::Cache="$work/apt/cache" -o APT::Sandbox::User=root "$@"
}
trixie update
cd "$work/fetched"
trixie download wasi-libc tzdata tzdata-legacy
trixie -t trixie source --download-only python3.13 sqlite3 bzip2
# Some archives list the newest source of zlib and do not have it; the one before
# will do as well.
trixie -t trixie source --download-only zlib || { rm -f zlib_*; trixie source --download-only zlib/bookworm; }

cd "$work"
rm -rf src sysroot tz && mkdir -p src sysroot tz
unpack() { # name: the one source package of that name
    quietly dpkg-source --no-check -x "$work"/fetched/"$1"_*.dsc "$work/src/$1"
}
unpack python3.13
unpack zlib
unpack sqlite3
unpack bzip2
dpkg-deb -x fetched/wasi-libc_*.deb sysroot
dpkg-deb -x fetched/tzdata_*.deb tz
dpkg-deb -x fetched/tzdata-legacy_*.deb tz # US/Eastern and the like

python=$work/src/python3.13
root=$work/sysroot/usr
lib=$root/lib/wasm32-wasi include=$root/include/wasm32-wasi
# Debian's clang looks for its runtime under this name of the target.
target="--target=wasm32-wasi --sysroot=$root"
hide="-ffile-prefix-map=$work=/build"
emulate="-D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_GETPID -D_WASI_EMULATED_PROCESS_CLOCKS -D_WASI_EMULATED_MMAN"
# shellcheck disable=SC2086 # lists of flags
wasm_cc() { quietly clang-19 $target $hide "$@"; }
archive_of() { rm -f "$1"; quietly llvm-ar-19 rcsD "$@"; }

stage "zlib"
cd "$work/src/zlib"
objects=()
for f in adler32 compress crc32 deflate infback inffast inflate inftrees trees uncompr zutil; do
    wasm_cc -O3 -c "$f.c" -o "$f.o"
    objects+=("$f.o")
done
archive_of "$lib/libz.a" "${objects[@]}"
cp zlib.h zconf.h "$include"

cd "$work/src/bzip2"
objects=()
for f in blocksort bzlib compress crctable decompress huffman randtable; do
    wasm_cc -O3 -c "$f.c" -o "$f.o"
    objects+=("$f.o")
done
archive_of "$lib/libbz2.a" "${objects[@]}"
cp bzlib.h "$include"

stage "sqlite"
cd "$work/src/sqlite3"
quietly ./configure
quietly make sqlite3.c
# shellcheck disable=SC2086
wasm_cc -O2 $emulate -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_WAL \
    -DSQLITE_TEMP_STORE=3 -DSQLITE_ENABLE_FTS5 -DSQLITE_ENABLE_MATH_FUNCTIONS -c sqlite3.c -o sqlite3.o
archive_of "$lib/libsqlite3.a" sqlite3.o
cp sqlite3.h "$include"

# --- CPython -------------------------------------------------------------------

stage "host python"
mkdir -p "$work/host" && cd "$work/host"
OPT="-O1 -DNDEBUG" quietly "$python/configure" --without-ensurepip --disable-test-modules
quietly make -j"$jobs"
host=$work/host/python

stage "python"
mkdir -p "$work/wasm/build" && cd "$work/wasm/build"
# Two settings for one thing: the second look of configure, in librt, undoes the
# first. Without them time.sleep would wait for absolute times, which engines refuse.
CC="clang-19 $target $hide" CPP="clang-19 $target -E" CXX="clang++-19 $target $hide" AR=llvm-ar-19 ARFLAGS=rcsD \
    RANLIB="llvm-ranlib-19 -D" OPT="-DNDEBUG -O3" CONFIG_SITE="$python/Tools/wasm/config.site-wasm32-wasi" HOSTRUNNER=true \
    PKG_CONFIG_PATH='' PKG_CONFIG_LIBDIR=/nonexistent ZLIB_CFLAGS=' ' ZLIB_LIBS=-lz BZIP2_CFLAGS=' ' BZIP2_LIBS=-lbz2 \
    LIBSQLITE3_CFLAGS=' ' LIBSQLITE3_LIBS=-lsqlite3 \
    quietly "$python/configure" --host=wasm32-unknown-wasip1 --build="$(uname -m)-linux-gnu" --with-build-python="$host" \
    --disable-test-modules --with-pymalloc --prefix=/usr \
    ac_cv_func_clock_nanosleep=no ac_cv_lib_rt_clock_nanosleep=no
# What sys.version says; otherwise the time of the compiler's run.
CFLAGS_DATE='-DDATE="\"Jan  1 2025\"" -DTIME="\"00:00:00\""'
quietly make -j"$jobs" CFLAGS_NODIST="$(sed -n 's/^CONFIGURE_CFLAGS_NODIST=[[:space:]]*//p' Makefile) $CFLAGS_DATE" libpython3.13.a
quietly make pybuilddir.txt # and with it what sysconfig reads

stage "plugin"
# shellcheck disable=SC2086
wasm_cc -mexec-model=reactor -O3 -Wall -Wextra -Werror $emulate -I. -I"$python/Include" "$here/plugin.c" libpython3.13.a \
    Modules/_decimal/libmpdec/libmpdec.a Modules/expat/libexpat.a Modules/_hacl/libHacl_Hash_SHA2.a \
    -lz -lbz2 -lsqlite3 -lm -ldl -lwasi-emulated-signal -lwasi-emulated-getpid -lwasi-emulated-process-clocks \
    -z stack-size=2097152 -Wl,--stack-first -Wl,--strip-all -o "$work/python.wasm"

stage "optimise"
# The features are those that the engine has switched on.
optimizer=binaryen@132.0.0
mkdir -p "$work/npm" && cd "$work/npm"
quietly npm pack --silent "$optimizer"
tar -xzf binaryen-*.tgz package/bin/wasm-opt
cp package/bin/wasm-opt wasm-opt.cjs
quietly node --stack-size=100000 wasm-opt.cjs "$work/python.wasm" -o "$work/optimised.wasm" -O3 \
    --enable-bulk-memory --enable-bulk-memory-opt --enable-sign-ext --enable-nontrapping-float-to-int \
    --enable-mutable-globals --enable-multivalue --enable-reference-types --enable-call-indirect-overlong \
    --enable-extended-const --strip-debug --strip-producers --strip-target-features
mv "$work/optimised.wasm" "$work/python.wasm"

# --- library -------------------------------------------------------------------

stage "library"
cd "$work"
rm -rf lib && mkdir lib
cp -r "$python/Lib/." lib/
for f in wasm/build/build/lib.*/_sysconfigdata*.py; do
    sed "s|$work|/build|g" "$f" >"lib/$(basename "$f")"
done
(
    cd lib
    # What cannot work without processes, sockets, threads or a terminal, and tests.
    rm -rf test idlelib tkinter turtledemo turtle.py ensurepip venv lib2to3 pydoc_data curses dbm/ndbm.py dbm/gnu.py \
        site-packages ctypes multiprocessing/dummy/test lib-dynload __phello__ _pyrepl/windows_console.py
    find . -name '__pycache__' -type d -prune -exec rm -rf {} +
    find . -name '*.exe' -o -name '*.bat' -o -name 'tests' -prune | xargs -r rm -rf
    # The time zones, where zoneinfo looks for them: a package called tzdata.
    mkdir tzdata && touch tzdata/__init__.py
    cp -rL ../tz/usr/share/zoneinfo tzdata/zoneinfo
    rm -rf tzdata/zoneinfo/{posix,right,posixrules,localtime,leapseconds,leap-seconds.list,tzdata.zi}
    ls tzdata/zoneinfo/iso3166.tab >/dev/null
    (cd tzdata/zoneinfo && find . -type f -size -64k ! -name '*.tab' -printf '%P\n' | sort) >tzdata/zones
    find tzdata/zoneinfo -type d -exec touch {}/__init__.py \;
)
quietly "$host" -m compileall -q -b -j"$jobs" --invalidation-mode unchecked-hash -s "$work/lib" -p /lib/python3.13 "$work/lib"
find lib -name '*.py' -delete

stage "pack"
"$host" - "$work/lib" "$out/library.zip" <<'PACK'
import os, sys, zipfile

root, target = sys.argv[1:]
names = sorted(
    os.path.relpath(os.path.join(folder, name), root) for folder, _, files in os.walk(root) for name in files
)
with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as library:
    for name in names:
        entry = zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0))
        entry.external_attr = 0o444 << 16
        with open(os.path.join(root, name), "rb") as file:
            library.writestr(entry, file.read())
PACK
cp "$work/python.wasm" "$out/python.wasm"

digest() { sha256sum "$1" | cut -d' ' -f1; }
installed() { dpkg-query -W -f '${Version}' "$1"; }
{
    version=$("$host" -c 'import platform; print(platform.python_version())')
    printf '{\n  "runtime": "python",\n  "version": "%s",\n  "contract": 1,\n' "$version"

    printf '  "inputs": {\n'
    for p in clang-19 lld-19 llvm-19 libclang-rt-19-dev-wasm32; do
        printf '    "%s": "%s",\n' "$p" "$(installed "$p")"
    done
    for f in "$work"/fetched/*.dsc "$work"/fetched/*.deb; do
        printf '    "%s": "sha256:%s",\n' "$(basename "$f")" "$(digest "$f")"
    done
    printf '    "wasm-opt": "%s"\n  }\n}\n' "$optimizer"
} >"$out/manifest.json"
stage "done"
