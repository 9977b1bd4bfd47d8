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
modules=$fake/etc/modules-load.d/60-postern-vfio.conf
pages=$fake/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
mkdir -p "$pci"/drivers/{igb,ixgbe,vfio-pci} "$fake/sys/kernel/iommu_groups/0" \
  "${pages%/*}" "$fake/proc/net" "$fake/etc/sysctl.d" "$fake/etc/modules-load.d"
card() {
  mkdir -p "$pci/devices/$1/net/$3"
  echo 0x020000 >"$pci/devices/$1/class"
  echo 0x8086 >"$pci/devices/$1/vendor"
  echo "$4" >"$pci/devices/$1/device"
  ln -s "$pci/drivers/$2" "$pci/devices/$1/driver"
}
card 0000:01:00.0 igb eno1 0x1521
card 0000:03:00.0 ixgbe enp3s0 0x1572
echo 8 >"$pages"
printf 'Iface\tDestination\neno1\t00000000\n' >"$fake/proc/net/route"

state() { (cd "$fake" && find . -type f -exec sh -c 'echo "$1: $(cat "$1")"' _ {} ';' | sort); }
before=$(state)

expect "status shows the cards" "0000:03:00.0: driver ixgbe, interface enp3s0" \
  "$("$tool" status | tail -n 1)"
expect "dry run prints each command" "+ echo vfio-pci >$modules
+ mkdir -p $fake/var/lib/postern/host
+ echo 0000:03:00.0 ixgbe 8086:1572 >>$fake/var/lib/postern/host/bind
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
expect "the module is loaded at the next start" vfio-pci "$(cat "$modules")"

# The kernel would move the link; a second bind and undo then start from the new driver.
ln -sfn "$pci/drivers/vfio-pci" "$pci/devices/0000:03:00.0/driver"
expect "a second bind does nothing" "" "$("$tool" bind 0000:03:00.0)"

# After a restart of the machine the kernel's own driver has the card again.
restart() {
  ln -sfn "$pci/drivers/ixgbe" "$pci/devices/0000:03:00.0/driver"
  : >"$pci/drivers/vfio-pci/bind"
  : >"$pci/drivers/ixgbe/unbind"
}
# left_alone NAME TEXT: with this message it goes well, and no device has been touched.
left_alone() {
  local name=$1 text=$2 got status
  restart
  got=$("$tool" restore 2>&1)
  status=$?
  expect "$name" "0 prepare-host: 0000:03:00.0 $text" "$status $got"
  expect "$name: untouched" "" "$(cat "$pci/drivers/vfio-pci/bind" "$pci/drivers/ixgbe/unbind")"
}
restart
"$tool" restore >/dev/null
expect "restore binds the card again" 0000:03:00.0 "$(cat "$pci/drivers/vfio-pci/bind")"
echo 0x010802 >"$pci/devices/0000:03:00.0/class"
left_alone "a disk in the card's place" "is no network card any more: left alone"
echo 0x020000 >"$pci/devices/0000:03:00.0/class"
echo 0x10fb >"$pci/devices/0000:03:00.0/device"
left_alone "another card in its place" "is another card (8086:10fb, not 8086:1572): left alone;\
 \`prepare-host bind 0000:03:00.0\` takes it after \`undo\`"
echo 0x1572 >"$pci/devices/0000:03:00.0/device"
mv "$pci/devices/0000:03:00.0" "$fake/taken-out"
got=$("$tool" restore 2>&1)
expect "a card that was taken out" "0 prepare-host: 0000:03:00.0 is not there any more: left out" \
  "$? $got"
mv "$fake/taken-out" "$pci/devices/0000:03:00.0"
ln -sfn "$pci/drivers/vfio-pci" "$pci/devices/0000:03:00.0/driver"
"$tool" undo >/dev/null
expect "undo returns the hugepages" 8 "$(cat "$pages")"
expect "undo returns the card" 0000:03:00.0 "$(cat "$pci/drivers/ixgbe/bind")"
expect "undo forgets" "" "$(find "$fake/var/lib/postern/host" "$fake/etc" -type f)"

rmdir "$fake/sys/kernel/iommu_groups/0"
ln -sfn "$pci/drivers/ixgbe" "$pci/devices/0000:03:00.0/driver"
"$tool" bind 0000:03:00.0 >/dev/null 2>&1
expect "without IOMMU it refuses" 1 $?

echo "$passed passed, $failed failed"
((failed == 0))
