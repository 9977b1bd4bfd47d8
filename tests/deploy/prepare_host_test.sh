#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# deploy/prepare-host on a made-up /sys: what it prints with --dry-run, what it writes without, and
# that undo gives back what was there. The argument is the script.
set -uo pipefail
tool=$1
fake=$(mktemp -d)
trap 'rm -r "$fake"' EXIT
export PREPARE_HOST_ROOT=$fake
passed=0 failed=0

expect() {
  local name=$1 wanted=$2 got=$3
  if [[ $wanted == "$got" ]]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED: %s\nwanted: %s\ngot:    %s\n' "$name" "$wanted" "$got"
  fi
}

# A machine with two cards: igb carries the default route, ixgbe does not.
pci=$fake/sys/bus/pci
pages=$fake/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
mkdir -p "$pci"/drivers/{igb,ixgbe,vfio-pci} "$fake/sys/kernel/iommu_groups/0" \
  "${pages%/*}" "$fake/proc/net" "$fake/etc/sysctl.d"
card() {
  mkdir -p "$pci/devices/$1/net/$3"
  echo 0x020000 >"$pci/devices/$1/class"
  ln -s "$pci/drivers/$2" "$pci/devices/$1/driver"
}
card 0000:01:00.0 igb eno1
card 0000:03:00.0 ixgbe enp3s0
echo 8 >"$pages"
printf 'Iface\tDestination\neno1\t00000000\n' >"$fake/proc/net/route"

state() { (cd "$fake" && find . -type f -exec sh -c 'echo "$1: $(cat "$1")"' _ {} ';' | sort); }
before=$(state)

expect "status shows the cards" "0000:03:00.0: driver ixgbe, interface enp3s0" \
  "$("$tool" status | tail -n 1)"
expect "dry run prints each command" "+ mkdir -p $fake/var/lib/postern/host
+ echo 0000:03:00.0 ixgbe >>$fake/var/lib/postern/host/bind
+ echo 0000:03:00.0 >$pci/drivers/ixgbe/unbind
+ echo vfio-pci >$pci/devices/0000:03:00.0/driver_override
+ echo 0000:03:00.0 >$pci/drivers/vfio-pci/bind" "$("$tool" --dry-run bind 0000:03:00.0)"
"$tool" --dry-run hugepages 64 >/dev/null
"$tool" --dry-run undo >/dev/null
expect "dry run changes nothing" "$before" "$(state)"

refused() {
  local name=$1 text
  shift
  text=$("$tool" "$@" 2>&1)
  expect "$name" "1 $before" "$? $(state)"
  expect "$name, in one line" 1 "$(wc -l <<<"$text")"
}
refused "a card that is not there" bind 0000:09:00.0
refused "what is no address" bind enp3s0
refused "the card of the default route" bind 0000:01:00.0
refused "a number that is none" hugepages many
"$tool" frobnicate 2>/dev/null
expect "usage errors" 2 $?

"$tool" hugepages 64 >/dev/null
"$tool" bind 0000:03:00.0 >/dev/null
expect "hugepages are reserved" 64 "$(cat "$pages")"
expect "also at the next start" "vm.nr_hugepages = 64" \
  "$(cat "$fake/etc/sysctl.d/60-postern-hugepages.conf")"
expect "the card is bound" 0000:03:00.0 "$(cat "$pci/drivers/vfio-pci/bind")"

# The kernel would move the link; a second bind and undo then start from the new driver.
ln -sfn "$pci/drivers/vfio-pci" "$pci/devices/0000:03:00.0/driver"
expect "a second bind does nothing" "" "$("$tool" bind 0000:03:00.0)"
"$tool" undo >/dev/null
expect "undo returns the hugepages" 8 "$(cat "$pages")"
expect "undo returns the card" 0000:03:00.0 "$(cat "$pci/drivers/ixgbe/bind")"
expect "undo forgets" "" "$(find "$fake/var/lib/postern/host" "$fake/etc/sysctl.d" -type f)"

rmdir "$fake/sys/kernel/iommu_groups/0"
ln -sfn "$pci/drivers/ixgbe" "$pci/devices/0000:03:00.0/driver"
"$tool" bind 0000:03:00.0 >/dev/null 2>&1
expect "without IOMMU it refuses" 1 $?

echo "$passed passed, $failed failed"
((failed == 0))
