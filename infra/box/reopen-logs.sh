#!/usr/bin/env bash
# What logrotate calls once it has moved the logs: PM2 goes on in new files. Until then processes write to the moved ones;
# what one prints in the milliseconds in which it opens the new ones, PM2 writes to none.
set -euo pipefail
# shellcheck source=infra/box/settings.sh
. "$(dirname "$(readlink -f "$0")")/settings.sh"

read_settings
cd "$home"
pm2 reloadLogs
