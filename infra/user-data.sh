#!/usr/bin/env bash
# Makes the instance ready for releases: writes its settings, fetches the bundle of infra/box, proves it and runs its
# install.sh. Runs at the first boot, and by Systems Manager whenever the bundle or a setting is another; never twice at
# once. Nothing secret is in here: whoever may describe the instance can read it. infra/server.ts fills in what stands
# between at signs.
set -euo pipefail
umask 022
exec 9>/run/veritas-box.lock
flock 9

mkdir -p /etc/veritas /opt/veritas
cat >/etc/veritas/box.env.next <<'SETTINGS'
@SETTINGS@
SETTINGS
mv -T /etc/veritas/box.env.next /etc/veritas/box.env

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A role that was made a moment ago is not known everywhere yet.
for try in $(seq 30); do
  if aws s3 cp 's3://@BUCKET@/@KEY@' "$work/box.tar.gz" --region '@REGION@' --only-show-errors; then break; fi
  [ "$try" != 30 ] || exit 1
  sleep 10
done
echo '@SHA256@  '"$work/box.tar.gz" | sha256sum --check --quiet
mkdir "$work/box"
tar -xzf "$work/box.tar.gz" -C "$work/box" --no-same-owner
bash "$work/box/install.sh" 9>&-
