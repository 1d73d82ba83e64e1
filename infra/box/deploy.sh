#!/usr/bin/env bash
# deploy.sh BUCKET KEY SHA256 VERSION: downloads a release, verifies it and switches to it without losing a request.
#
# Exit code  meaning                                                                what serves afterwards
#   0        the release serves, or already served with these settings             it
#   1        unexpected error, reported on standard error                          as before
#   2        wrong arguments or settings                                           as before
#   3        another release is in progress                                        as before
#   4        it cannot be downloaded, or does not match the checksum and version   as before
#   5        it does not start (settings, migration, /health)                      as before, untouched
#   6        it started, but did not answer under PM2 and was rolled back          the one before
#   7        it was rolled back, but the one before does not answer                perhaps nothing: somebody must look
set -euo pipefail
umask 022
# shellcheck source=infra/box/settings.sh
. "$(dirname "$(readlink -f "$0")")/settings.sh"
# shellcheck source=infra/box/switch.sh
. "$bin/switch.sh"

usage='Usage: deploy.sh BUCKET KEY SHA256 VERSION'
[ $# = 4 ] || fail 2 "$usage"
bucket=$1 key=$2 sha256=$3 version=$4
matches() { printf '%s' "$1" | grep -qxE -- "$2"; }
matches "$bucket" '[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]' || fail 2 "BUCKET \"$bucket\" is not the name of a bucket. $usage"
matches "$key" '[A-Za-z0-9._/+=-]{1,512}' || fail 2 "KEY \"$key\" is not the key of a release. $usage"
matches "$sha256" '[0-9a-f]{64}' || fail 2 "SHA256 \"$sha256\" is not 64 hexadecimal digits. $usage"
matches "$version" '[0-9A-Za-z][0-9A-Za-z.+_-]{0,127}' || fail 2 "VERSION \"$version\" is not the name of a version. $usage"

read_settings
mkdir -p "$releases"
hold_lock "Another release is under way. Try $version again once it is over."
trap clean_up EXIT
end_stale_change
incoming=$releases/.incoming
rm -rf "$incoming" "$home"/.next*

# A release that is already here was verified when it was downloaded.
if [ -e "$releases/$version/.sha256" ]; then
  there=$(cat "$releases/$version/.sha256")
  [ "$there" = "$sha256" ] ||
    fail 4 "Release $version is here already with the checksum $there, not $sha256. Give another content another version."
else
  mkdir -m 700 "$incoming"
  aws s3 cp "s3://$bucket/$key" "$incoming/artifact.tar.gz" --region "$REGION" --only-show-errors 9>&- ||
    fail 4 "s3://$bucket/$key cannot be fetched. What serves is as before."
  actual=$(sha256sum "$incoming/artifact.tar.gz" | cut -d' ' -f1)
  [ "$actual" = "$sha256" ] ||
    fail 4 "s3://$bucket/$key has the checksum $actual, not $sha256. It was not unpacked."
  mkdir -m 755 "$incoming/release"
  tar -xzf "$incoming/artifact.tar.gz" -C "$incoming/release" --no-same-owner ||
    fail 4 "s3://$bucket/$key cannot be unpacked. Is the disk full?"
  inside=$(cd "$incoming/release" && node -p 'require("./package.json").version' 9>&-) ||
    fail 4 "s3://$bucket/$key has no package.json. Make it with \`npm run package\`."
  [ "$inside" = "$version" ] || fail 4 "s3://$bucket/$key is release $inside, not $version."
  for file in build/server/index.js ecosystem.config.cjs; do
    [ -e "$incoming/release/$file" ] || fail 4 "s3://$bucket/$key has no $file. Make it with \`npm run package\`."
  done
  printf '%s\n' "$sha256" >"$incoming/release/.sha256"
  # Otherwise a power failure could leave the checksum file on disk without the release's contents.
  sync --file-system "$incoming/release/.sha256"
  chmod 755 "$incoming/release"
  mv -T "$incoming/release" "$releases/$version"
  rm -rf "$incoming"
fi

"$bin/secrets.sh" 9>&- || fail 2 "The settings of $version could not be read. What serves is as before."
if is_proven "$version" && cmp -s "$etc/server.env" "$releases/$version/.env"; then
  look_at_store
  if settled "$version"; then
    say "Release $version serves already."
    exit 0
  fi
fi
take_settings "$version"
switch_to "$version"
