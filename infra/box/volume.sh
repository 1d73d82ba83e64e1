# shellcheck shell=bash
# Mounts the data volume. Sourced by install.sh.
# shellcheck disable=SC2154  # settings.sh says where things are.

# The data volume by its id: device names depend on the order of detection.
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
  # blkid exits with 2 if the device is empty. After any other failure it must not be formatted.
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

# Grows the file system to the size of the volume. Changes nothing if it has that size.
grow_data() {
  xfs_growfs "$data" >/dev/null
}
