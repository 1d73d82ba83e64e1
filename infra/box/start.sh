#!/usr/bin/env bash
# Run by veritas.service: starts PM2 with the release that `current` links to. Needs no network.
set -euo pipefail
# shellcheck source=infra/box/settings.sh
. "$(dirname "$(readlink -f "$0")")/settings.sh"

read_settings
[ -e "$current/build/server/index.js" ] ||
  fail 1 "There is no release to start: $current names none. Deploy one (infra/box/README.md)."
cd "$home"
pm2 startOrReload "$ecosystem" --update-env
