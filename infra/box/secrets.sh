#!/usr/bin/env bash
# secrets.sh: writes the server's settings (mode 0600) from the parameters under PARAMETER_PREFIX, and the secret by
# which nginx recognizes CloudFront. Values are only passed through pipes, never through command lines, logs or
# variables. If a parameter is missing or invalid, exits with 1 and changes nothing. A running server keeps its
# settings until the next release, or until `rollback.sh VERSION` with the serving version.
set -euo pipefail
# shellcheck source=infra/box/settings.sh
. "$(dirname "$(readlink -f "$0")")/settings.sh"

read_settings
umask 077
owner_uid=''
if [ -z "$root" ]; then owner_uid=$(id -u "$owner"); fi
origin=$root/etc/nginx/veritas-origin.map
before=$(sha256sum <"$origin" 2>/dev/null || true)
aws ssm get-parameters-by-path --path "$PARAMETER_PREFIX" --with-decryption --region "$REGION" --output json |
  node "$bin/env-file.mjs" "$etc/box.env" "$etc/server.env" "$origin" "$STORE" "$data/data" "$owner_uid" ||
  fail 1 "The parameters under $PARAMETER_PREFIX could not be read or are wrong (see above). Nothing was changed."
if [ "$before" != "$(sha256sum <"$origin")" ] && systemctl is-active --quiet nginx.service; then
  systemctl reload nginx.service
  say 'nginx has another secret of CloudFront.'
fi
