#!/usr/bin/env bash
# tls.sh: gets the certificate of ORIGIN_NAME, or another one a month before it ends; else changes nothing. install.sh and
# veritas-tls.timer run it. The name is proved by a record in its zone, so nobody has to reach this box for it. Key and
# account lie on the data volume: another instance goes on with them. Without ORIGIN_NAME there is no TLS.
set -euo pipefail
umask 077
# shellcheck source=infra/box/settings.sh
. "$(dirname "$(readlink -f "$0")")/settings.sh"

certbot_version=4.2.0
read_settings
[ -n "$ORIGIN_NAME" ] || exit 0
venv=$home/certbot
[ -x "$venv/bin/pip" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check \
  "certbot==$certbot_version" "certbot-dns-route53==$certbot_version"
"$venv/bin/certbot" certonly --quiet --non-interactive --agree-tos --register-unsafely-without-email --dns-route53 \
  --keep-until-expiring --key-type ecdsa --cert-name origin --domain "$ORIGIN_NAME" --config-dir "$data/tls" \
  --work-dir "$data/tls/work" --logs-dir "$log_dir/tls" \
  --deploy-hook 'systemctl reload nginx.service || true' ||
  fail 1 "There is no certificate for $ORIGIN_NAME, or no newer one: $log_dir/tls says why."
