#!/usr/bin/env bash
# Run by veritas.service to stop: each process stores its waiting events, then PM2 exits.
set -euo pipefail
# shellcheck source=infra/box/settings.sh
. "$(dirname "$(readlink -f "$0")")/settings.sh"

read_settings
cd "$home"
pm2 kill
