#!/usr/bin/env bash
# Called by logrotate after it has moved the logs: makes PM2 open new files. Until then processes write to the moved
# ones. Output during the few milliseconds of the switch is lost.
set -euo pipefail
# shellcheck source=infra/box/settings.sh
. "$(dirname "$(readlink -f "$0")")/settings.sh"

read_settings
cd "$home"
pm2 reloadLogs
