#!/usr/bin/env bash
# What logrotate calls once it has moved the logs: PM2 goes on in new files, without a line lost.
set -euo pipefail
# shellcheck source=infra/box/settings.sh
. "$(dirname "$(readlink -f "$0")")/settings.sh"

read_settings
cd "$home"
pm2 reloadLogs
