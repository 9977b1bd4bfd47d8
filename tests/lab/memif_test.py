# SPDX-License-Identifier: BSD-3-Clause
"""posternd on memif ports. A testpmd is the cable between them and the wires of the lab, so that
the same clients and servers are at the ends."""

from lab import GATEWAY, HERE, SECOND, WEB, check, wait_until

CABLE = (
    "dpdk-testpmd --no-huge --no-shconf -m 128 --no-pci --lcores 0@(0-1),1@(0-1) --iova-mode=va "
    "--file-prefix=postern-lab-cable "
    "--vdev net_memif0,role=client,id=0,socket={0}/wan.sock,socket-abstract=no "
    "--vdev net_af_packet0,iface=wan0 "
    "--vdev net_memif1,role=client,id=0,socket={0}/lan.sock,socket-abstract=no "
    "--vdev net_af_packet1,iface=lan0 "
    "-- --forward-mode=io --auto-start --total-num-mbufs=8192 --nb-cores=1 --stats-period=5"
)


def test_memif(lab):
    """On two net_memif vdevs with static neighbors posternd forwards and translates."""
    with open(HERE + "/memif.yaml", encoding="utf-8") as file:
        text = file.read().replace("@DIRECTORY@", lab.directory)
    try:
        lab.restart_with(text)
        with lab.gateway.start(CABLE.format(lab.directory)) as cable:
            wait_until(
                lambda: lab.client.run(f"ping -c 1 -W 1 {WEB}").ok,
                20,
                f"ping does not cross: {cable.out()[-300:]}",
            )
            page = lab.client.must(f"curl -sS -m 20 http://{SECOND}/")
            check(f"you are {GATEWAY}:" in page, page)
            size = lab.client.must(
                ["sh", "-c", f"curl -sS -m 20 http://{WEB}/bytes/1000000 | wc -c"]
            )
            check(size.strip() == "1000000", f"{size} bytes of 1000000")
            with lab.sniff("inside", "icmp", "in") as inside:
                lab.isp.run(f"ping -c 1 -W 1 {GATEWAY}")
                check(inside.count() == 0, "what nobody asked for came in")
    finally:
        lab.restart_with(lab.config())
