# shellcheck shell=bash
# Mounts the data volume. Sourced by install.sh.
# shellcheck disable=SC2154  # settings.sh says where things are.

# The volume by its own id: the names of devices depend on the order in which they are found.
volume_device() {
  echo "$root/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${DATA_VOLUME_ID/-/}"
}

mount_data() {
  local device filesystem status=0 waited=0
  mkdir -p "$data"
  if mountpoint -q "$data"; then return 0; fi
  device=$(volume_device)
  until [ -e "$device" ]; do
    [ "$waited" -lt "${VOLUME_SECONDS:-300}" ] ||
      fail 1 "The volume $DATA_VOLUME_ID is not attached after $waited s: there is no $device."
    sleep 1
    waited=$((waited + 1))
  done
  # 2 means that nothing is on it. Whatever else goes wrong, it is not formatted.
  filesystem=$(blkid --probe --output value --match-tag TYPE "$device") || status=$?
  if [ "$status" = 2 ]; then
    say "$DATA_VOLUME_ID is empty: it gets a file system."
    mkfs.xfs -q -L veritas "$device"
  elif [ "$status" != 0 ] || [ "$filesystem" != xfs ]; then
    fail 1 "$DATA_VOLUME_ID holds \"$filesystem\" (blkid: $status), not xfs. It was left alone."
  fi
  local line="$device $data xfs defaults,noatime,nofail,x-systemd.device-timeout=300 0 2"
  if ! grep -qxF -- "$line" "$root/etc/fstab"; then
    sed -i "\| $data |d" "$root/etc/fstab"
    printf '%s\n' "$line" >>"$root/etc/fstab"
    systemctl daemon-reload
  fi
  mount "$data"
}

# A larger volume is of no use to a file system that does not know of it. Changes nothing where it has its size already.
grow_data() {
  xfs_growfs "$data" >/dev/null
}
