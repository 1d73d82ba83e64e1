#!/usr/bin/env bash
# mongod.sh: installs MongoDB on this instance (STORE=self-hosted), on the data volume and reachable only locally. It
# is a replica set of one member, which retryable writes require. Can be run again at any time.
set -euo pipefail
# shellcheck source=infra/box/settings.sh
. "$(dirname "$(readlink -f "$0")")/settings.sh"

series=8.0
read_settings

cat >"$root/etc/yum.repos.d/mongodb.repo" <<REPO
[mongodb]
name=MongoDB $series
baseurl=https://repo.mongodb.org/yum/amazon/2023/mongodb-org/$series/\$basearch/
gpgcheck=1
gpgkey=https://pgp.mongodb.com/server-$series.asc
enabled=1
REPO
dnf install --quiet --assumeyes mongodb-org-server mongodb-mongosh-shared-openssl3

mkdir -p "$data/mongo"
if [ -z "$root" ]; then chown mongod:mongod "$data/mongo"; fi
# A quarter of the memory for MongoDB's cache: the server and the system need the rest.
cache_gb=$(awk '/^MemTotal:/ { gb = $2 / 1048576 / 4; printf "%.2f", (gb < 0.25 ? 0.25 : gb) }' /proc/meminfo)
cat >"$root/etc/mongod.conf.next" <<CONF
storage:
  dbPath: $data/mongo
  wiredTiger:
    engineConfig:
      cacheSizeGB: $cache_gb
systemLog:
  destination: file
  logAppend: true
  path: $root/var/log/mongodb/mongod.log
  logRotate: reopen
net:
  bindIp: 127.0.0.1
  port: 27017
replication:
  replSetName: veritas
CONF

# MongoDB's package starts it without waiting for the volume, does not restart it, and never rotates its log.
unit=$root/etc/systemd/system/mongod.service.d
mkdir -p "$unit" "$root/etc/logrotate.d"
cat >"$unit/veritas.conf.next" <<UNIT
[Unit]
RequiresMountsFor=$data

[Service]
Restart=always
RestartSec=2
UNIT
if ! cmp -s "$unit/veritas.conf.next" "$unit/veritas.conf"; then
  mv -T "$unit/veritas.conf.next" "$unit/veritas.conf"
  systemctl daemon-reload
else
  rm "$unit/veritas.conf.next"
fi
cat >"$root/etc/logrotate.d/mongod" <<ROTATE
$root/var/log/mongodb/*.log {
  su mongod mongod
  create 0640 mongod mongod
  daily
  maxsize 100M
  rotate 7
  missingok
  notifempty
  compress
  delaycompress
  postrotate
    systemctl kill --kill-who=main --signal=SIGUSR1 mongod.service
  endscript
}
ROTATE

if ! cmp -s "$root/etc/mongod.conf.next" "$root/etc/mongod.conf"; then
  mv -T "$root/etc/mongod.conf.next" "$root/etc/mongod.conf"
  systemctl enable --quiet mongod.service
  systemctl restart mongod.service
else
  rm "$root/etc/mongod.conf.next"
  systemctl enable --quiet --now mongod.service
fi

# shellcheck disable=SC2016  # $db is no business of the shell.
start='
  try { rs.status() } catch (error) {
    if (error.codeName !== "NotYetInitialized") throw error
    rs.initiate({ _id: "veritas", members: [{ _id: 0, host: "127.0.0.1:27017" }] })
  }
  while (!db.hello().isWritablePrimary) sleep(200)'
for _ in $(seq 60); do
  if timeout 60 mongosh --quiet --norc mongodb://127.0.0.1:27017/?directConnection=true --eval "$start" >/dev/null; then
    say 'MongoDB takes writes.'
    exit 0
  fi
  sleep 1
done
fail 1 "MongoDB does not take writes. Look at $root/var/log/mongodb/mongod.log."
