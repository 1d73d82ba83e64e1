# shellcheck shell=bash
# Switches releases without losing a request. Sourced by deploy.sh and rollback.sh, which hold the lock (9).
#
# PM2 ends the old process if the new one is not ready within listen_timeout, so a release that does not start must
# never reach PM2. Therefore a trial comes first: the release starts beside the serving one, on another port and on
# the same data, or on a copy if it would change the store's format, so that a failed trial changes nothing. Only a
# release that answers is switched to. If it still fails under PM2, `current` is set back while PM2 retries: its next
# attempt starts the old release again, whose process has kept running all along.
# shellcheck disable=SC2154  # settings.sh says where things are.

trial_pid=''
reload_pid=''
# The version that has changed the store; the copy of the store that rollback.sh restores.
changed=''
kept_copy=''
# Set if the store could not be restored: the next script resumes that.
unsettled=''
work=''
taken=''

# hold_lock MESSAGE: makes this the only script that changes releases; exits with 3 if another one does. A command
# started by a killed script keeps the lock until it ends (a PM2 query within 11 s), so wait for that.
hold_lock() {
  exec 9>"$home/release.lock"
  flock --timeout 12 9 || fail 3 "$1"
}

clean_up() {
  if [ -n "$trial_pid" ]; then kill -KILL "$trial_pid" 2>/dev/null || true; fi
  if [ -n "$taken" ]; then restore_settings "$taken"; fi
  # Remove an incomplete download, which may be what fills the disk.
  rm -rf "$releases/.incoming" "$work" "$data/trial"
  if [ -z "$unsettled" ]; then rm -f "$home/.changing"; fi
}

# The version that `current` links to, or nothing. After a killed script it may be a version that never answered.
serving_version() {
  if [ -L "$current" ]; then basename "$(readlink "$current")"; fi
}

# Versions that have served, latest first.
served_versions() {
  local version
  by_age | while read -r version; do
    if [ -e "$releases/$version/.served" ]; then printf '%s\n' "$version"; fi
  done
}

# The version that served last, or nothing: the one to go back to.
last_served() {
  served_versions | sed -n 1p
}

# is_proven VERSION: whether this version is current and has served with its present settings.
is_proven() {
  [ "$(serving_version)" = "$1" ] && [ "$(last_served)" = "$1" ] && [ "$releases/$1/.served" -nt "$releases/$1/.env" ]
}

# Ends the trial of a killed script, which would occupy the port and answer in place of the next trial.
end_stale_trial() {
  local pid
  pid=$(cat "$home/.trial" 2>/dev/null) || return 0
  case $(readlink "/proc/$pid/cwd" 2>/dev/null) in
    "$(readlink -f "$releases")"/*)
      say "Process $pid is the trial of a release that was cut short: it is ended."
      trial_pid=$pid
      end_trial
      ;;
  esac
  rm -f "$home/.trial"
}

# answers PORT VERSION: whether /health reports this version and "ok" ("degraded" is accepted if it was so before).
answers() {
  local body
  body=$(curl --silent --max-time 5 --noproxy '*' "http://127.0.0.1:$1/health" 9>&-) || return 1
  case $body in *"\"version\":\"$2\""*) ;; *) return 1 ;; esac
  case $body in
    *'"status":"ok"'*) return 0 ;;
    *'"status":"degraded"'*) [ "${store_away:-no}" = yes ] ;;
    *) return 1 ;;
  esac
}

# shellcheck disable=SC2153  # read_settings sets PORT.
ports() {
  if [ "$ROLES" = split ]; then echo "$PORT $WEB_PORT"; else echo "$PORT"; fi
}

# settled VERSION: whether every port answers with this version several times in a row, so no old process is left.
settled() {
  local port _
  for port in $(ports); do
    for _ in $(seq $((2 * INSTANCES + 1))); do
      answers "$port" "$1" || return 1
    done
  done
}

# If the store is unreachable before the release already, an unreachable store must not fail the release.
look_at_store() {
  store_away=no
  local body
  body=$(curl --silent --max-time 5 --noproxy '*' "http://127.0.0.1:$PORT/health" 9>&-) || return 0
  case $body in *'"status":"degraded"'*) store_away=yes ;; esac
}

# store_tool VERSION VERB…: runs `npm run store` of a release. Verbs that change the store keep the lock until they end,
# even if this script is killed.
store_tool() {
  local version=$1
  shift
  (
    case $1 in prepare | put-back) ;; *) exec 9>&- ;; esac
    cd "$releases/$version" || exit
    exec "${as_owner[@]}" env -i PATH="$PATH" HOME="$pm2_home" LANG=C.UTF-8 NODE_ENV=production \
      node scripts/store.js "$@"
  )
}

# need_of VERSION: prints what a release must do before it can use the store: nothing, adds, changes or newer
# (docs/decisions/019). Prints nothing if the release has no such command or there is no store yet.
need_of() {
  [ -e "$releases/$1/scripts/store.js" ] || return 0
  store_tool "$1" status --json 2>/dev/null | sed -n 's/.*"need":"\([a-z]*\)".*/\1/p' || true
}

# has_changed VERSION: whether this release has changed the store's format, completely or partly, so that the previous
# release cannot open it.
has_changed() {
  local state format reader
  state=$(store_tool "$1" status --json 2>/dev/null) || return 1
  case $state in *'"need":"nothing"'*) return 0 ;; esac
  format=$(sed -n 's/.*"format":\([0-9]*\),"oldestReader".*/\1/p' <<<"$state")
  reader=$(sed -n 's/.*"oldestReader":\([0-9]*\).*/\1/p' <<<"$state")
  [ "${reader:-0}" -gt "${format:-0}" ]
}

copy_for_trial() {
  if [ -z "$kept_copy" ]; then
    store_tool "$1" copy --to "$data/trial"
  else
    cp --reflink=auto "$kept_copy" "$data/trial/veritas.db" && give "$data/trial/veritas.db"
  fi
}

# trial VERSION: starts the release beside the serving one and ends it once it answers. If it does not, returns 1 and
# prints its log.
trial() {
  local version=$1 log=$work/trial.log deadline=$((SECONDS + TRIAL_SECONDS)) why='' apart=() need
  : >"$log"
  need=$(need_of "$version")
  if [ -n "$kept_copy" ]; then need=copy; fi
  case $need in
    copy | adds | changes)
      # Never on the store itself, which the serving release could then no longer use. A MongoDB store is not copied;
      # in that case only the start of the release is tried, not its change of the store.
      rm -rf "$data/trial"
      install -d -m 700 "$data/trial"
      give "$data/trial"
      if [ "$STORE" = embedded ] && ! copy_for_trial "$version" >"$log" 2>&1; then
        say "Release $version cannot be tried on a copy of the store:" >&2
        tail -n 5 "$log" | tee -a "$log_dir/releases.log" >&2 || true
        rm -rf "$data/trial"
        return 1
      fi
      apart=(DATA_DIR="$data/trial" STORE_URL= WAL_DIR= EXPORT_URL= BACKUP_URL=)
      deadline=$((SECONDS + TRIAL_SECONDS))
      ;;
  esac
  (
    cd "$releases/$version" || exit
    echo "$BASHPID" >"$home/.trial"
    exec "${as_owner[@]}" env -i PATH="$PATH" HOME="$pm2_home" LANG=C.UTF-8 NODE_ENV=production ROLE=all PORT="$TRIAL_PORT" \
      METRICS_EXPORTER=none METRICS_PORT=off LOG_LEVEL=warn "${apart[@]}" node build/server/index.js
  ) >"$log" 2>&1 9>&- &
  trial_pid=$!
  until answers "$TRIAL_PORT" "$version"; do
    if ! kill -0 "$trial_pid" 2>/dev/null; then
      why='it ended at its start'
      break
    elif [ "$SECONDS" -ge "$deadline" ]; then
      why="/health on port $TRIAL_PORT did not say \"$version\" and ok within $TRIAL_SECONDS s"
      break
    fi
    sleep 0.2
  done
  end_trial
  rm -rf "$data/trial"
  if [ -z "$why" ]; then return 0; fi
  say "Release $version does not start: $why. Its last words:" >&2
  tail -n 20 "$log" | tee -a "$log_dir/releases.log" >&2 || true
  return 1
}

end_trial() {
  local deadline=$((SECONDS + SHUTDOWN_TIMEOUT_MS / 1000 + 5))
  kill -TERM "$trial_pid" 2>/dev/null || true
  while kill -0 "$trial_pid" 2>/dev/null; do
    if [ "$SECONDS" -ge "$deadline" ]; then kill -KILL "$trial_pid" 2>/dev/null || true; fi
    sleep 0.1
  done
  wait "$trial_pid" 2>/dev/null || true
  trial_pid=''
  rm -f "$home/.trial"
}

# bring_store_on VERSION BEFORE: converts the store for a release. If that changes existing data, nothing serves in
# the meantime, since the previous release would keep writing in the old format. On failure restores the store and
# returns 1.
bring_store_on() {
  local need
  need=$(need_of "$1")
  case $need in adds | changes) ;; *) return 0 ;; esac
  if [ "$need" = changes ]; then
    say "Release $1 changes the store, of which a copy is kept: ${2:-nothing} stops serving until it is done."
    printf '%s\n' "$1" >"$home/.changing"
    systemctl stop veritas.service 9>&- || true
  fi
  # Set before the change: if the script is interrupted at any point, it restores what was changed.
  if [ "$need" = changes ]; then changed=$1; fi
  if store_tool "$1" prepare >"$work/store.log" 2>&1; then return 0; fi
  say "Release $1 could not bring the store on:" >&2
  tail -n 20 "$work/store.log" | tee -a "$log_dir/releases.log" >&2 || true
  put_store_back || true
  if [ "$need" = changes ] && [ -n "$2" ]; then reload "$2" || say "$2 does not answer yet." >&2; fi
  reload_pid=''
  return 1
}

# put_store_back: undoes bring_store_on. Events that the release has stored in the meantime become dead letters.
put_store_back() {
  if [ -z "$changed" ] || ! has_changed "$changed"; then
    changed=''
    return 0
  fi
  printf '%s\n' "$changed" >"$home/.changing"
  systemctl stop veritas.service 9>&- || true
  reload_pid=''
  if store_tool "$changed" put-back >"$work/store.log" 2>&1; then
    say "The store is what it was before $changed: $(tr '\n' ' ' <"$work/store.log")"
  else
    say "The store could not be put back:" >&2
    tail -n 20 "$work/store.log" | tee -a "$log_dir/releases.log" >&2 || true
    changed=''
    unsettled=yes
    return 1
  fi
  changed=''
  unsettled=''
}

# point_at VERSION: makes this the release to start from now on, by atomically replacing the link and PM2's file.
# Returns 1 without a change if the disk has no space for both.
point_at() {
  cp "$releases/$1/ecosystem.config.cjs" "$home/.next.ecosystem.config.cjs" &&
    ln -sfn "releases/$1" "$home/.next" &&
    mv -T "$home/.next.ecosystem.config.cjs" "$ecosystem" &&
    mv -T "$home/.next" "$current"
}

# reload VERSION: makes PM2 replace its processes and waits until only this version answers.
reload() {
  local deadline=$((SECONDS + HEALTH_SECONDS))
  if systemctl is-active --quiet veritas.service 9>&-; then
    (cd "$home" && pm2 startOrReload "$ecosystem" --update-env) >"$work/reload.log" 2>&1 9>&- &
  else
    # Only systemd may start PM2; started from here, it would end together with the caller of this script.
    systemctl restart veritas.service >"$work/reload.log" 2>&1 9>&- &
  fi
  reload_pid=$!
  while kill -0 "$reload_pid" 2>/dev/null; do
    if [ "$SECONDS" -ge "$deadline" ]; then return 1; fi
    sleep 0.1
  done
  wait "$reload_pid" || return 1
  reload_pid=''
  until settled "$1"; do
    if [ "$SECONDS" -ge "$deadline" ]; then return 1; fi
    sleep 0.2
  done
}

# Prints the pids of PM2's processes that are not ready yet; nothing if PM2 does not answer.
unready() {
  pm2_seconds=10 pm2 jlist | node -e '
    const text = require("node:fs").readFileSync(0, "utf8")
    for (const { pid, pm2_env } of JSON.parse(text.slice(text.search(/^\[(\{|\])/m))))
      if (pid && pm2_env.status === "launching") console.log(pid)' 9>&-
}

# restart_unready VERSION: kills processes of other releases that are not ready; PM2 then starts them again from the
# release that `current` links to.
restart_unready() {
  local pid folder
  folder=$(readlink -f "$releases/$1")
  for pid in $(unready); do
    if [ "$(readlink "/proc/$pid/cwd")" != "$folder" ]; then kill -KILL "$pid" 2>/dev/null || true; fi
  done
}

# After a script was killed during a switch, PM2 continues it: a release that hangs would replace the serving one, and
# no other could be started. So go back to the version that served last.
end_stale_switch() {
  local version deadline=$((SECONDS + 75))
  version=$(last_served)
  if [ -z "$version" ] || [ "$(serving_version)" = "$version" ]; then return 0; fi
  say "A switch to $(serving_version) was cut short: first back to $version."
  point_at "$version" || fail 1 "$version could not be switched back to. Is the disk full?"
  if systemctl is-active --quiet veritas.service 9>&-; then
    while restart_unready "$version" && [ -n "$(unready)" ] && [ "$SECONDS" -lt "$deadline" ]; do sleep 1; done
    if settled "$version"; then return 0; fi
  fi
  reload "$version" || say "$version does not answer yet." >&2
  reload_pid=''
}

# A script killed while it changed or restored the store has left nothing serving: restore the store and start again.
end_stale_change() {
  local version before
  version=$(cat "$home/.changing" 2>/dev/null) || return 0
  before=$(last_served)
  if [ -z "$before" ]; then return 0; fi
  if [ "$(serving_version)" = "$before" ] && systemctl is-active --quiet veritas.service 9>&-; then return 0; fi
  say "A switch was cut short while $version changed the store: first back to $before."
  unsettled=yes
  work=$(mktemp -d)
  chmod 700 "$work"
  point_at "$before" || fail 1 "$before could not be switched back to. Is the disk full?"
  unsettled=''
  if [ "$before" != "$version" ]; then
    changed=$version
    put_store_back || true
  fi
  reload "$before" || say "$before does not answer yet." >&2
  reload_pid=''
  rm -rf "$work"
  if [ -z "$unsettled" ]; then rm -f "$home/.changing"; fi
}

# take_back VERSION: goes back to the release that served before. Returns 1 if that does not answer either.
take_back() {
  local version=$1 deadline
  point_at "$version"
  if [ -n "$reload_pid" ]; then
    # Longer than PM2's pause between two attempts and its listen_timeout. Repeated, since PM2 may be between two
    # attempts or too busy to list its processes.
    deadline=$((SECONDS + 75))
    while kill -0 "$reload_pid" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do
      restart_unready "$version"
      sleep 1
    done
    reload_pid=''
  fi
  reload "$version"
}

# switch_to VERSION: exits with 0 if the release serves, otherwise with 1, 5, 6 or 7 (see deploy.sh).
switch_to() {
  local version=$1 before
  before=$(last_served)
  end_stale_trial
  work=$(mktemp -d)
  chmod 700 "$work"
  end_stale_switch
  look_at_store
  if ! trial "$version"; then
    restore_settings "$version"
    if [ -z "$kept_copy" ] && grep -q 'newer Veritas' "$work/trial.log"; then
      say "The store is of a newer format than $version knows. With the copy of before it goes back: rollback.sh --with-copy $version" >&2
    fi
    fail 5 "Release $version was not switched to. ${before:-Nothing} serves on as before."
  fi
  : >"$work/reload.log"
  # Set before anything is changed: if interrupted from here on, the script goes back to the previous release.
  trap 'interrupted "$version" "$before"' TERM INT HUP
  if [ -n "$kept_copy" ]; then changed=$before; fi
  if ! { if [ -n "$kept_copy" ]; then put_store_back; else bring_store_on "$version" "$before"; fi; }; then
    trap - TERM INT HUP
    restore_settings "$version"
    if [ -n "$kept_copy" ]; then reload "$before" || say "$before does not answer yet." >&2; fi
    fail 5 "Release $version was not switched to. ${before:-Nothing} serves on as before."
  fi
  if ! point_at "$version"; then
    trap - TERM INT HUP
    restore_settings "$version"
    if [ -n "$changed" ]; then
      put_store_back || true
      if [ -n "$before" ]; then reload "$before" || say "$before does not answer yet." >&2; fi
    fi
    fail 1 "Release $version could not be switched to. Is the disk full? ${before:-Nothing} serves on as before."
  fi
  if reload "$version"; then
    trap - TERM INT HUP
    taken=''
    touch "$releases/$version/.served"
    keep_five "$version" "$before"
    say "Release $version serves${before:+, after $before}."
    exit 0
  fi
  fail_over "$version" "$before" "did not answer under PM2 within $HEALTH_SECONDS s"
}

fail_over() {
  local version=$1 before=$2 why=$3
  trap '' TERM INT HUP
  restore_settings "$version"
  say "Release $version $why. PM2 said:" >&2
  tail -n 20 "$work/reload.log" | tee -a "$log_dir/releases.log" >&2 || true
  if [ -z "$before" ]; then
    rm -f "$current"
    systemctl stop veritas.service 9>&- || true
    fail 6 "Release $version was taken back. There was none before it, so nothing serves."
  fi
  put_store_back || true
  if take_back "$before"; then
    fail 6 "Release $version was taken back: $before serves again."
  fi
  fail 7 "Release $version was taken back, but $before does not answer either. Look at $log_dir and \`systemctl status veritas\`."
}

interrupted() {
  # If interrupted right after the reload was started in the background, only $! has its pid yet.
  reload_pid=${reload_pid:-$!}
  fail_over "$1" "$2" 'was interrupted while it was switched to'
}

# keep_five VERSION BEFORE: removes all but five releases: these two, and those that served or were downloaded last.
keep_five() {
  local version kept=2
  if [ -z "$2" ] || [ "$1" = "$2" ]; then kept=1; fi
  while read -r version; do
    case $version in "$1" | "$2") continue ;; esac
    kept=$((kept + 1))
    if [ "$kept" -gt 5 ]; then rm -rf "${releases:?}/$version"; fi
  done < <(by_age)
}

# Versions by the time they last served (or else were downloaded), newest first.
by_age() {
  local folder mark
  for folder in "$releases"/*/; do
    mark=$folder.served
    [ -e "$mark" ] || mark=$folder.sha256
    if [ -e "$mark" ]; then printf '%s %s\n' "$(stat -c %.9Y "$mark")" "$(basename "$folder")"; fi
  done | sort -rn | cut -d' ' -f2-
}

# take_settings VERSION: copies the settings into the release, so that a rollback finds those it ran with.
take_settings() {
  local folder=$releases/$1
  install -m 600 "$etc/server.env" "$folder/.env.next"
  give "$folder/.env.next"
  taken=$1
  # Replaced atomically: the release may be serving. Keeps the previous settings only if the release has served with
  # them.
  if [ ! -e "$folder/.env" ]; then
    rm -f "$folder/.env.before"
  elif [ "$folder/.served" -nt "$folder/.env" ]; then
    ln -f "$folder/.env" "$folder/.env.before"
  fi
  mv -T "$folder/.env.next" "$folder/.env"
}

# restore_settings VERSION: restores the previous settings of a release that did not start with the new ones.
restore_settings() {
  local folder=$releases/$1
  taken=''
  rm -f "$folder/.env.next"
  if [ -e "$folder/.env.before" ]; then mv -T "$folder/.env.before" "$folder/.env"; fi
}
