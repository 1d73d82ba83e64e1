#!/usr/bin/env bash
# install.sh: prepares an Amazon Linux 2023 instance for releases, using its own folder and /etc/veritas/box.env. It can
# be run again at any time: it changes only what differs, never formats a volume that holds data, and does not interrupt
# the serving release.
#
# Exit codes: 0 ready, 1 a step failed (reported on standard error), 2 an invalid setting.
set -euo pipefail
umask 022
from=$(dirname "$(readlink -f "$0")")
# shellcheck source=infra/box/settings.sh
. "$from/settings.sh"
# shellcheck source=infra/box/volume.sh
. "$from/volume.sh"

# The Node version for everything here; Amazon Linux offers several.
node_major=24
pm2_version=7.0.4

read_settings

packages() {
  dnf install --quiet --assumeyes "nodejs$node_major" "nodejs$node_major-npm" nginx amazon-cloudwatch-agent \
    logrotate tar gzip util-linux xfsprogs
  alternatives --set node "/usr/bin/node-$node_major"
}

# Swap space: during a trial a second server runs beside the serving one, which a small instance has no memory for.
swap() {
  local file=$root/swapfile
  if ! [ -e "$file" ]; then
    # Written in full, since a sparse file cannot be used as swap.
    dd if=/dev/zero of="$file.next" bs=1M count="$SWAP_MIB" status=none
    chmod 600 "$file.next"
    mkswap "$file.next" >/dev/null
    mv -T "$file.next" "$file"
  fi
  grep -qF -- "$file " "$root/etc/fstab" || printf '%s none swap sw 0 0\n' "$file" >>"$root/etc/fstab"
  if ! grep -qF -- "$file " "$root/proc/swaps" 2>/dev/null; then swapon "$file"; fi
}

user() {
  if ! id -u "$owner" >/dev/null 2>&1; then
    useradd --system --home-dir "$home" --no-create-home --shell /sbin/nologin "$owner"
  fi
}

folders() {
  mkdir -p "$bin" "$releases" "$etc" "$log_dir/server" "$pm2_home" "$data/data" \
    "$root/var/lib/nginx/veritas" "$root/var/log/nginx" "$root/etc/nginx" "$root/etc/systemd/system" \
    "$root/etc/logrotate.d" "$root/run"
  chmod 700 "$data/data" "$pm2_home" "$root/var/lib/nginx/veritas"
  chmod 750 "$log_dir/server"
  give "$data/data" "$pm2_home" "$log_dir/server"
  if [ -z "$root" ]; then chown nginx:nginx "$root/var/lib/nginx/veritas"; fi
}

programs() {
  local file
  [ "$from" = "$(readlink -f "$bin")" ] && return
  for file in "$from"/*; do
    install -m "$([ "${file##*.}" = sh ] && echo 755 || echo 644)" "$file" "$bin/.next"
    mv -T "$bin/.next" "$bin/${file##*/}"
  done
}

# PM2 is installed outside the releases: its daemon outlives them, so it must not run from a release's folder.
pm2_package() {
  local there
  there=$(node -p "require('$home/pm2/node_modules/pm2/package.json').version" 2>/dev/null || true)
  [ "$there" = "$pm2_version" ] && return
  npm install --prefix "$home/pm2" --ignore-scripts --no-audit --no-fund --silent --save-exact "pm2@$pm2_version"
}

# render FILE TARGET: writes a file of this folder with its placeholders filled in; returns 1 if nothing changed.
render() {
  local web_port=$PORT nginx_user=nginx listen_tls=''
  if [ -n "$ORIGIN_NAME" ]; then listen_tls=' ssl'; fi
  if [ "$ROLES" = split ]; then web_port=$WEB_PORT; fi
  if [ -n "$root" ]; then nginx_user=$(id -un); fi
  sed -e "s|@ROOT@|$root|g" -e "s|@STAGE@|$STAGE|g" -e "s|@REGION@|$REGION|g" -e "s|@LISTEN_PORT@|$LISTEN_PORT|g" -e "s|@LISTEN_TLS@|$listen_tls|g" \
    -e "s|@INGEST_PORT@|$PORT|g" -e "s|@WEB_PORT@|$web_port|g" -e "s|@MAX_BODY_BYTES@|$INGEST_MAX_BODY_BYTES|g" \
    -e "s|@STOP_SECONDS@|$((SHUTDOWN_TIMEOUT_MS / 1000 + 20))|g" -e "s|@NGINX_USER@|$nginx_user|g" \
    "$bin/$1" >"$2.next" || fail 1 "$2 cannot be written."
  if grep -qE '@[A-Z_]+@' "$2.next"; then fail 1 "$1 asks for a setting that install.sh does not know."; fi
  if cmp -s "$2.next" "$2"; then
    rm "$2.next"
    return 1
  fi
  mv -T "$2.next" "$2"
}

units() {
  local unit changed=no
  for unit in veritas.service veritas-backup.service veritas-backup.timer veritas-tls.service veritas-tls.timer; do
    if render "$unit" "$root/etc/systemd/system/$unit"; then changed=yes; fi
  done
  if [ "$changed" = yes ]; then systemctl daemon-reload; fi
  systemctl enable --quiet veritas.service
  # Without --now the timer of a newly installed package would only start at the next boot.
  systemctl enable --quiet --now veritas-backup.timer logrotate.timer
  if [ -n "$ORIGIN_NAME" ]; then systemctl enable --quiet --now veritas-tls.timer; fi
  render logrotate.conf "$root/etc/logrotate.d/veritas" || true
}

# Until the secret that identifies CloudFront is set, nginx refuses everybody. The file nginx.pending records a change
# that nginx has not loaded yet, so that it is loaded even if a step fails in between and the script is run again.
proxy() {
  local pending=$etc/nginx.pending tls=$root/etc/nginx/veritas-tls.conf
  : >"$tls.next"
  if [ -n "$ORIGIN_NAME" ]; then
    printf '%s\n' "ssl_certificate $data/tls/live/origin/fullchain.pem;" \
      "ssl_certificate_key $data/tls/live/origin/privkey.pem;" 'ssl_protocols TLSv1.2 TLSv1.3;' \
      'ssl_session_cache shared:tls:10m;' 'ssl_session_timeout 1h;' >"$tls.next"
  fi
  if ! cmp -s "$tls.next" "$tls"; then touch "$pending"; fi
  mv -T "$tls.next" "$tls"
  [ -e "$root/etc/nginx/veritas-origin.map" ] || install -m 600 /dev/null "$root/etc/nginx/veritas-origin.map"
  if render nginx.conf "$root/etc/nginx/nginx.conf"; then touch "$pending"; fi
  nginx -t -q -c "$root/etc/nginx/nginx.conf"
  systemctl enable --quiet --now nginx.service
  if [ -e "$pending" ]; then
    systemctl reload nginx.service
    rm "$pending"
  fi
}

watching() {
  local agent=$root/opt/aws/amazon-cloudwatch-agent pending=$etc/agent.pending
  mkdir -p "$agent/etc"
  if render cloudwatch-agent.json "$agent/etc/veritas.json"; then touch "$pending"; fi
  if [ -e "$pending" ]; then
    "$agent/bin/amazon-cloudwatch-agent-ctl" -a fetch-config -m ec2 -s -c "file:$agent/etc/veritas.json"
    rm "$pending"
  fi
}

# A PM2 reload is enough for a new release, but a change of Node, roles, ports or number of processes needs a restart of
# PM2; otherwise nginx would connect to processes that do not exist.
processes() {
  local wanted last=$home/.processes
  wanted="$ROLES $PORT $WEB_PORT $INSTANCES $MAX_MEMORY $SHUTDOWN_TIMEOUT_MS $(node --version)"
  [ "$(cat "$last" 2>/dev/null || true)" = "$wanted" ] && return
  if systemctl is-active --quiet veritas.service; then
    say "The processes are others now ($wanted): everything starts anew."
    flock --close --timeout 600 "$home/release.lock" systemctl restart veritas.service
  fi
  printf '%s\n' "$wanted" >"$last"
}

# step TITLE FUNCTION: runs a step. Not called in a condition, in which bash would ignore failures (set -e).
step() {
  current_step=$1
  say "$1"
  "$2"
}
trap 'say "It failed at: $current_step. Run $0 again once the cause is gone." >&2' ERR
set -E

step 'Packages' packages
step 'User' user
step "Data volume $DATA_VOLUME_ID" mount_data
step 'Size of its file system' grow_data
step 'Swap' swap
step 'Folders' folders
step 'Programs' programs
step "PM2 $pm2_version" pm2_package
if [ "$STORE" = self-hosted ]; then step 'MongoDB' "$bin/mongod.sh"; fi
step 'Certificate' "$bin/tls.sh"
step 'Proxy' proxy
step 'Parameters' "$bin/secrets.sh"
step 'Units' units
step 'Logs and metrics' watching
step 'Processes' processes
say 'Ready for releases.'
