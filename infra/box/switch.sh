# shellcheck shell=bash
# From one release to another without a lost request. Sourced by deploy.sh and rollback.sh, which hold the lock (9).
#
# PM2 ends the old process when the new one is not ready after listen_timeout, so it must never get that far with a
# release that does not start. First a trial: the release starts beside the serving one, on a port of its own and on the
# same data; where it would bring the store to another format, on a copy of it, so that a trial that fails has changed
# nothing. Only one that answers there is switched to. Should it fail under PM2 nevertheless,
# `current` is pointed back while PM2 still tries: its next try is the old release again, and the old process never left.
# shellcheck disable=SC2154  # settings.sh says where things are.

trial_pid=''
reload_pid=''
# Whose steps have changed the store, and the copy that rollback.sh is to put back.
changed=''
kept_copy=''
# Whether the change of the store is not over: the next script goes on with taking it back.
unsettled=''
work=''
taken=''

# hold_lock MESSAGE: makes this the only script that changes releases, or ends with 3. What a killed script had just called
# holds its lock until it ends by itself (a question to PM2 within 11 s), so it is waited for.
hold_lock() {
  exec 9>"$home/release.lock"
  flock --timeout 12 9 || fail 3 "$1"
}

clean_up() {
  if [ -n "$trial_pid" ]; then kill -KILL "$trial_pid" 2>/dev/null || true; fi
  if [ -n "$taken" ]; then restore_settings "$taken"; fi
  # What was fetched and is no release may be what fills the disk.
  rm -rf "$releases/.incoming" "$work" "$data/trial"
  if [ -z "$unsettled" ]; then rm -f "$home/.changing"; fi
}

# The version that `current` names, or nothing. A script that was killed may have left it at one that never answered.
serving_version() {
  if [ -L "$current" ]; then basename "$(readlink "$current")"; fi
}

# Versions that have served, the last one first.
served_versions() {
  local version
  by_age | while read -r version; do
    if [ -e "$releases/$version/.served" ]; then printf '%s\n' "$version"; fi
  done
}

# The version that served last, or nothing: what to go back to.
last_served() {
  served_versions | sed -n 1p
}

# Whether what runs is this release with the settings that it has now.
is_proven() {
  [ "$(serving_version)" = "$1" ] && [ "$(last_served)" = "$1" ] && [ "$releases/$1/.served" -nt "$releases/$1/.env" ]
}

# Ends the trial of a script that was killed: it would hold the port of the next, and answer in its place.
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

# answers PORT VERSION [STATUS]: whether /health there is of this version, and ok (or STATUS, or degraded as before).
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

# settled VERSION: several answers of each port in a row are of this version, so no other process is left behind it.
settled() {
  local port _
  for port in $(ports); do
    for _ in $(seq $((2 * INSTANCES + 1))); do
      answers "$port" "$1" || return 1
    done
  done
}

# A release may go on with a store that is away only when the one before it is no better off.
look_at_store() {
  store_away=no
  local body
  body=$(curl --silent --max-time 5 --noproxy '*' "http://127.0.0.1:$PORT/health" 9>&-) || return 0
  case $body in *'"status":"degraded"'*) store_away=yes ;; esac
}

# store_tool VERSION VERB…: what a release says of the store, or does to it (npm run store). What changes the store holds the
# lock until it is done, whatever becomes of the script.
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

# need_of VERSION: what a release has to do before it can use the store: nothing, adds, changes or newer (docs/decisions/
# 019). Nothing is said by a release that has no such command, and where there is no store yet.
need_of() {
  [ -e "$releases/$1/scripts/store.js" ] || return 0
  store_tool "$1" status --json 2>/dev/null | sed -n 's/.*"need":"\([a-z]*\)".*/\1/p' || true
}

# has_changed VERSION: whether the store is what the steps of this release make of it, or half of that: the release before
# does not open it.
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

# Starts the release beside the serving one and ends it once it answers. Returns 1 with its last words if it does not.
trial() {
  local version=$1 log=$work/trial.log deadline=$((SECONDS + TRIAL_SECONDS)) why='' apart=() need
  : >"$log"
  need=$(need_of "$version")
  if [ -n "$kept_copy" ]; then need=copy; fi
  case $need in
    copy | adds | changes)
      # Never on the store itself: the release that serves could no longer use it. A database is not copied: what is tried
      # then is the release without its steps.
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

# bring_store_on VERSION BEFORE: does the steps that the release has for the store. Where they change what is there, nothing
# serves meanwhile: the release before would go on writing in its own way. Returns 1 with the store as it was.
bring_store_on() {
  local need
  need=$(need_of "$1")
  case $need in adds | changes) ;; *) return 0 ;; esac
  if [ "$need" = changes ]; then
    say "Release $1 changes the store, of which a copy is kept: ${2:-nothing} stops serving until it is done."
    printf '%s\n' "$1" >"$home/.changing"
    systemctl stop veritas.service 9>&- || true
  fi
  # Before it is true: told to end at whatever moment, the script puts back what was changed by then.
  if [ "$need" = changes ]; then changed=$1; fi
  if store_tool "$1" prepare >"$work/store.log" 2>&1; then return 0; fi
  say "Release $1 could not bring the store on:" >&2
  tail -n 20 "$work/store.log" | tee -a "$log_dir/releases.log" >&2 || true
  put_store_back || true
  if [ "$need" = changes ] && [ -n "$2" ]; then reload "$2" || say "$2 does not answer yet." >&2; fi
  reload_pid=''
  return 1
}

# put_store_back: undoes what bring_store_on changed. Events that the release stored meanwhile are dead letters then.
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

# Makes a release the one that starts from now on: the link and PM2's file, each at once. Returns 1, with nothing
# changed, where a full disk has no room for either.
point_at() {
  cp "$releases/$1/ecosystem.config.cjs" "$home/.next.ecosystem.config.cjs" &&
    ln -sfn "releases/$1" "$home/.next" &&
    mv -T "$home/.next.ecosystem.config.cjs" "$ecosystem" &&
    mv -T "$home/.next" "$current"
}

# reload VERSION: has PM2 replace its processes and waits until only this version answers.
reload() {
  local deadline=$((SECONDS + HEALTH_SECONDS))
  if systemctl is-active --quiet veritas.service 9>&-; then
    (cd "$home" && pm2 startOrReload "$ecosystem" --update-env) >"$work/reload.log" 2>&1 9>&- &
  else
    # Only systemd may start PM2, or it would end with whatever called this script.
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

# The processes of PM2 that have not become ready; none while it does not say.
unready() {
  pm2_seconds=10 pm2 jlist | node -e '
    const text = require("node:fs").readFileSync(0, "utf8")
    for (const { pid, pm2_env } of JSON.parse(text.slice(text.search(/^\[(\{|\])/m))))
      if (pid && pm2_env.status === "launching") console.log(pid)' 9>&-
}

# restart_unready VERSION: ends processes of other releases that have not become ready: PM2 starts them again, of the
# one that `current` names by then.
restart_unready() {
  local pid folder
  folder=$(readlink -f "$releases/$1")
  for pid in $(unready); do
    if [ "$(readlink "/proc/$pid/cwd")" != "$folder" ]; then kill -KILL "$pid" 2>/dev/null || true; fi
  done
}

# A script that was killed after its switch leaves PM2 at it: a release that hangs would take the place of the one that
# serves, and no other could be loaded meanwhile.
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

# A script that was killed while the store was changed, or put back, has left nothing serving.
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

# Back to the release that served before. Returns 1 when that does not answer either.
take_back() {
  local version=$1 deadline
  point_at "$version"
  if [ -n "$reload_pid" ]; then
    # Longer than what PM2 waits between two tries, and than its listen_timeout. Once is not enough: PM2 may be between
    # two tries, or too busy to say what it runs.
    deadline=$((SECONDS + 75))
    while kill -0 "$reload_pid" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do
      restart_unready "$version"
      sleep 1
    done
    reload_pid=''
  fi
  reload "$version"
}

# switch_to VERSION: ends the script with 0 when it serves, 5, 6 or 7 when it does not (deploy.sh tells what they mean).
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
  # Before anything is changed: told to end at whatever moment after it, the script goes back.
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
  # Between the start of the reload and the line that keeps its process, $! alone knows it.
  reload_pid=${reload_pid:-$!}
  fail_over "$1" "$2" 'was interrupted while it was switched to'
}

# Removes all but five releases: the two given, then those that served or came last.
keep_five() {
  local version kept=2
  if [ -z "$2" ] || [ "$1" = "$2" ]; then kept=1; fi
  while read -r version; do
    case $version in "$1" | "$2") continue ;; esac
    kept=$((kept + 1))
    if [ "$kept" -gt 5 ]; then rm -rf "${releases:?}/$version"; fi
  done < <(by_age)
}

# Versions by when they served last (or came), newest first.
by_age() {
  local folder mark
  for folder in "$releases"/*/; do
    mark=$folder.served
    [ -e "$mark" ] || mark=$folder.sha256
    if [ -e "$mark" ]; then printf '%s %s\n' "$(stat -c %.9Y "$mark")" "$(basename "$folder")"; fi
  done | sort -rn | cut -d' ' -f2-
}

# take_settings VERSION: each release has its own copy, so that going back finds those it ran with.
take_settings() {
  local folder=$releases/$1
  install -m 600 "$etc/server.env" "$folder/.env.next"
  give "$folder/.env.next"
  taken=$1
  # At no moment without settings: the release may be the one that serves. What it never served with is not kept.
  if [ ! -e "$folder/.env" ]; then
    rm -f "$folder/.env.before"
  elif [ "$folder/.served" -nt "$folder/.env" ]; then
    ln -f "$folder/.env" "$folder/.env.before"
  fi
  mv -T "$folder/.env.next" "$folder/.env"
}

# Settings that a release did not start with are not left to its next start.
restore_settings() {
  local folder=$releases/$1
  taken=''
  rm -f "$folder/.env.next"
  if [ -e "$folder/.env.before" ]; then mv -T "$folder/.env.before" "$folder/.env"; fi
}
