#!/bin/sh
# pictures.sh: makes the README's pictures anew from real frames (pictures/*.svg).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$here/pictures"
PICTURES=$here/pictures exec python3 "$here/run.py" picture_
