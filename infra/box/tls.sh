#!/usr/bin/env bash
# tls.sh: obtains the certificate of ORIGIN_NAME, and renews it a month before it expires; otherwise changes nothing.
# Run by install.sh and veritas-tls.timer. The name is validated by a DNS record, so nobody needs to reach this
# instance. Key and account are on the data volume, for the next instance. Without ORIGIN_NAME there is no TLS.
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
