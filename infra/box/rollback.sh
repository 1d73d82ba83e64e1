#!/usr/bin/env bash
# rollback.sh [--with-copy] [VERSION]: switches to a release that is still on the instance; by default the one that
# served before. Given the serving version, it restarts that with the current parameters. No request is lost.
# --with-copy also restores the store as it was before the serving release changed its format, for a release that
# could not use it otherwise. This interrupts the service, and events stored since must be replayed
# (docs/operators.md). Exit codes as in deploy.sh.
set -euo pipefail
umask 022
# shellcheck source=infra/box/settings.sh
. "$(dirname "$(readlink -f "$0")")/settings.sh"
# shellcheck source=infra/box/switch.sh
. "$bin/switch.sh"

with_copy=''
if [ "${1:-}" = --with-copy ]; then
  with_copy=yes
  shift
fi
[ $# -le 1 ] || fail 2 'Usage: rollback.sh [--with-copy] [VERSION]'
read_settings
mkdir -p "$releases"
hold_lock 'A release is under way. Try again once it is over.'
trap clean_up EXIT
end_stale_change

version=${1:-$({ served_versions | grep -vxF -- "$(serving_version)" || true; } | sed -n 1p)}
[ -n "$version" ] || fail 2 'No other release has served on this box. Deploy one.'
[ -e "$releases/$version/.sha256" ] ||
  fail 2 "Release $version is not on this box. There are: $(by_age | tr '\n' ' ')"
if [ -n "$with_copy" ]; then
  kept_copy=$(store_tool "$(last_served)" status --json 2>/dev/null | sed -n 's/.*"copy":{"at":"\([^"]*\)".*/\1/p') || true
  [ -n "$kept_copy" ] || fail 2 'No copy of the store is kept: nothing has changed it of late, or a month has passed.'
fi
"$bin/secrets.sh" 9>&- || say 'Going on with the settings that are there.'
take_settings "$version"
switch_to "$version"
