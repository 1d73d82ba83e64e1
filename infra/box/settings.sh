# shellcheck shell=bash
# Paths and settings of the instance. Sourced by the scripts in this folder, never run. VERITAS_ROOT is prefixed to all
# paths, so that tests can use a folder in place of the root directory.
# shellcheck disable=SC2034  # Used by those that source this.

root=${VERITAS_ROOT:-}
home=$root/opt/veritas
bin=$home/bin
releases=$home/releases
current=$home/current
ecosystem=$home/ecosystem.config.cjs
pm2_home=$home/.pm2
pm2_program=$home/pm2/node_modules/pm2/bin/pm2
etc=$root/etc/veritas
data=$root/var/lib/veritas
log_dir=$root/var/log/veritas
owner=veritas
# Prefix that runs a command as the application's user.
as_owner=()
if [ -z "$root" ] && [ "$(id -u)" = 0 ]; then
  as_owner=(setpriv --reuid "$owner" --regid "$owner" --init-groups --)
fi

# Prints a line and appends it to the log that is sent to CloudWatch.
say() {
  local line
  line="$(date -u +%Y-%m-%dT%H:%M:%SZ) ${0##*/}: $*"
  printf '%s\n' "$line"
  # Only root can write to this log; output of the application's user is kept by systemd.
  if [ -d "$log_dir" ]; then { printf '%s\n' "$line" >>"$log_dir/releases.log"; } 2>/dev/null || true; fi
}

# fail CODE MESSAGE…: exits with a message.
fail() {
  local code=$1
  shift
  say "$@" >&2
  exit "$code"
}

# setting NAME PATTERN MEANING [DEFAULT]: prints a setting from box.env, which is parsed as text and never executed.
setting() {
  local value
  value=$(sed -n "s/^$1=//p" "$etc/box.env" | tail -n 1)
  value=${value:-${4:-}}
  printf '%s' "$value" | grep -qxE -- "$2" || fail 2 "$1 in $etc/box.env is \"$value\": it must be $3."
  printf '%s' "$value"
}

read_settings() {
  [ -r "$etc/box.env" ] || fail 2 "There is no $etc/box.env. The user data of the instance writes it (infra/box/README.md)."
  STAGE=$(setting STAGE '[a-z][a-z0-9-]{0,31}' 'small letters, digits and dashes')
  REGION=$(setting REGION '[a-z]{2}(-[a-z]+)+-[0-9]' 'a region such as eu-central-1')
  BUCKET=$(setting BUCKET '[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]' 'the name of the bucket of releases')
  PARAMETER_PREFIX=$(setting PARAMETER_PREFIX '/[A-Za-z0-9_./-]+/' 'a path such as /veritas/prod/')
  DATA_VOLUME_ID=$(setting DATA_VOLUME_ID 'vol-[0-9a-f]{8,17}' 'the id of the data volume, such as vol-0123456789abcdef0')
  STORE=$(setting STORE 'embedded|self-hosted|uri' 'embedded, self-hosted or uri' embedded)
  ROLES=$(setting ROLES 'all|split' 'all or split' all)
  PORT=$(setting PORT '[1-9][0-9]{1,4}' 'a port' 3000)
  WEB_PORT=$(setting WEB_PORT '[1-9][0-9]{1,4}' 'a port' $((PORT + 1)))
  TRIAL_PORT=$(setting TRIAL_PORT '[1-9][0-9]{1,4}' 'a port' $((PORT + 2)))
  LISTEN_PORT=$(setting LISTEN_PORT '[1-9][0-9]{1,4}' 'a port' 80)
  ORIGIN_NAME=$(setting ORIGIN_NAME '([a-z0-9-]+\.)+[a-z]{2,63}|none' 'the host name by which CloudFront reaches this box' none)
  if [ "$ORIGIN_NAME" = none ]; then ORIGIN_NAME=''; fi
  INSTANCES=$(setting INSTANCES '[1-9][0-9]?' 'a number of processes' 1)
  MAX_MEMORY=$(setting MAX_MEMORY '[1-9][0-9]*[MG]' 'a size such as 700M' 700M)
  SHUTDOWN_TIMEOUT_MS=$(setting SHUTDOWN_TIMEOUT_MS '[1-9][0-9]{2,5}' 'milliseconds, 100 to 600000' 10000)
  INGEST_MAX_BODY_BYTES=$(setting INGEST_MAX_BODY_BYTES '[1-9][0-9]{3,10}' 'a number of bytes' 4194304)
  SWAP_MIB=$(setting SWAP_MIB '[1-9][0-9]{0,4}' 'a number of MiB' 1024)
  TRIAL_SECONDS=$(setting TRIAL_SECONDS '[1-9][0-9]{0,3}' 'a number of seconds' 120)
  HEALTH_SECONDS=$(setting HEALTH_SECONDS '[1-9]|[1-4][0-9]' 'a number of seconds below 50' 40)
}

# Makes the application's user the owner of files or folders.
give() {
  if [ -z "$root" ]; then chown "$owner:$owner" "$@"; fi
}

# Runs PM2 with a clean environment; with pm2_seconds set, for that long at most, in case its daemon hangs. Secrets
# are not passed: the server reads them from .env, so PM2 never stores them. Its daemon must not inherit the release
# lock (9).
pm2() {
  "${as_owner[@]}" env -i PATH="$PATH" HOME="$pm2_home" LANG=C.UTF-8 PM2_HOME="$pm2_home" \
    PM2_DISABLE_VERSION_CHECK=true NODE_ENV=production PORT="$PORT" SHUTDOWN_TIMEOUT_MS="$SHUTDOWN_TIMEOUT_MS" \
    VERITAS_ROLES="$ROLES" VERITAS_WEB_PORT="$WEB_PORT" VERITAS_INSTANCES="$INSTANCES" \
    VERITAS_MAX_MEMORY="$MAX_MEMORY" VERITAS_LOG_DIR="$log_dir/server" \
    ${pm2_seconds:+timeout --kill-after=1 "$pm2_seconds"} node "$pm2_program" "$@" 9>&-
}
