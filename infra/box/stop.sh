#!/usr/bin/env bash
# How veritas.service stops: each process stores what waits, then PM2 itself ends.
set -euo pipefail
# shellcheck source=infra/box/settings.sh
. "$(dirname "$(readlink -f "$0")")/settings.sh"

read_settings
cd "$home"
pm2 kill
