#!/usr/bin/env bash
# Run by veritas-backup.timer every night: `npm run backup` of the serving release, with the server's settings, to
# BACKUP_URL (a parameter, or a line of box.env). Exits with 3 if a backup is already running, otherwise with the exit
# code of the backup, so that systemd sees a failure.
set -euo pipefail
# shellcheck source=infra/box/settings.sh
. "$(dirname "$(readlink -f "$0")")/settings.sh"

[ -e "$current/package.json" ] || fail 1 "There is no release to back up with: $current names none."
exec 8>"$pm2_home/backup.lock"
flock -n 8 || fail 3 'A backup is under way.'
# The release's folder, not the link `current`: a release in the meantime must not change the running program.
cd "$(readlink -f "$current")"
target=$(node -p 'require("node:util").parseEnv(require("node:fs").readFileSync(".env", "utf8")).BACKUP_URL ?? ""')
[ -n "$target" ] || fail 2 'BACKUP_URL is not set: there is nowhere to put a backup. Set it to s3://BUCKET/PREFIX.'
status=0
env -i PATH="$PATH" HOME="$pm2_home" LANG=C.UTF-8 NODE_ENV=production npm_config_update_notifier=false \
  npm run --silent backup -- --to "$target" 8>&- || status=$?
if [ "$status" != 0 ]; then echo "The backup failed with $status." >&2; fi
exit "$status"
