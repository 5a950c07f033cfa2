"""What the doctor says of hosts, and what to do about it, in English and in Simplified Chinese."""

from __future__ import annotations

from typing import NamedTuple


class Said(NamedTuple):
    """A sentence and a remedy, each in both languages; the remedy is empty where there is nothing to mend."""

    en: str
    zh: str
    remedy_en: str = ""
    remedy_zh: str = ""


CHECKS: dict[str, tuple[str, str]] = {
    "reach": ("reach, login", "连接与登录"),
    "docker": ("docker may be typed", "可以输入 docker"),
    "engine": ("engine", "引擎"),
    "versions": ("versions", "版本"),
    "storage": ("storage, cgroups", "存储与 cgroup"),
    "live-restore": ("live-restore", "live-restore"),
    "swarm": ("swarm", "swarm 状态"),
    "containers": ("other containers", "其他容器"),
    "names": ("host names", "主机名"),
    "hosts": ("/etc/hosts", "/etc/hosts"),
    "address": ("address to advertise", "通告地址"),
    "ports": ("ports between hosts", "主机间端口"),
    "mtu": ("size of packets", "数据包大小"),
    "latency": ("latency", "延迟"),
    "clock": ("clocks", "时钟"),
    "disk": ("disk", "磁盘"),
    "memory": ("memory", "内存"),
    "firewall": ("firewalls", "防火墙"),
    "tools": ("tools for faults", "故障所需工具"),
}
"""What is looked at, in the order it is shown."""

SAID: dict[str, Said] = {
    "reached": Said("answers, without a password, as root", "可连接，无需密码，具有 root 权限"),
    "not reached": Said(
        "{trouble}",
        "{trouble}",
        "on this machine: ssh-copy-id USER@{address}; on the host: sudo without a password for USER (course 1.2)",
        "本机执行 ssh-copy-id 用户@{address}；主机上为该用户设置免密 sudo（教程 1.2）",
    ),
    "docker ok": Said("yes", "可以"),
    "docker denied": Said(
        "permission denied",
        "权限不足",
        "sudo usermod -aG docker $USER, then log in again (course 1.3.2)",
        "sudo usermod -aG docker $USER，然后重新登录（教程 1.3.2）",
    ),
    "docker absent": Said(
        "there is no docker client",
        "没有 docker 客户端",
        "install Docker (course 1.3.1)",
        "安装 Docker（教程 1.3.1）",
    ),
    "engine ok": Said("answers", "有应答"),
    "engine silent": Said(
        "does not answer: {trouble}",
        "没有应答：{trouble}",
        "systemctl start docker, then systemctl enable docker (course 1.3.2)",
        "systemctl start docker，然后 systemctl enable docker（教程 1.3.2）",
    ),
    "versions ok": Said("engine {engine}, client {client}", "引擎 {engine}，客户端 {client}"),
    "versions differ": Said(
        "engines differ: {engines}",
        "引擎版本不一致：{engines}",
        "install the same version on all hosts: what is seen would be of two engines",
        "在所有主机上安装同一版本：否则看到的是两种引擎的行为",
    ),
    "clients differ": Said(
        "clients differ: {clients}",
        "客户端版本不一致：{clients}",
        "install the same client on all hosts: they print other words",
        "在所有主机上安装同一客户端：不同版本的输出不同",
    ),
    "kernels differ": Said("kernels differ: {kernels}", "内核不一致：{kernels}"),
    "storage ok": Said("{driver}, cgroups by {cgroup}", "{driver}，cgroup 由 {cgroup} 管理"),
    "storage slow": Said(
        "storage driver {driver}: creating containers takes longer than with overlay2",
        "存储驱动 {driver}：创建容器比 overlay2 慢",
        '"storage-driver": "overlay2" in /etc/docker/daemon.json (takes away images and containers)',
        '在 /etc/docker/daemon.json 中写 "storage-driver": "overlay2"（会丢失现有镜像和容器）',
    ),
    "storage differs": Said(
        "drivers differ: {drivers}",
        "驱动不一致：{drivers}",
        "the same storage and cgroup drivers on all hosts, in /etc/docker/daemon.json",
        "在所有主机的 /etc/docker/daemon.json 中使用相同的存储驱动和 cgroup 驱动",
    ),
    "live-restore off": Said("off", "未启用"),
    "live-restore on": Said(
        "on: such an engine refuses to be in a swarm",
        "已启用：这样的引擎拒绝加入 swarm",
        'take "live-restore": true out of /etc/docker/daemon.json, then systemctl restart docker',
        '从 /etc/docker/daemon.json 删去 "live-restore": true，然后 systemctl restart docker',
    ),
    "swarm none": Said("in none", "不在任何 swarm 中"),
    "swarm ours": Said("in one that swarmsim made", "在 swarmsim 创建的 swarm 中"),
    "swarm foreign": Said(
        "in a swarm that swarmsim did not make ({state}, node {node})",
        "在并非 swarmsim 创建的 swarm 中（{state}，节点 {node}）",
        "only look at it: --adopt; or, if nobody needs it: docker swarm leave --force on the host",
        "仅观察：--adopt；若无人使用，可在该主机执行 docker swarm leave --force",
    ),
    "containers none": Said("none run", "没有正在运行的其他容器"),
    "containers foreign": Said(
        "runs {n} that are not of this swarm: {names}",
        "正在运行 {n} 个不属于此 swarm 的容器：{names}",
        "docker stop them, or take another host; --adopt only looks",
        "docker stop 这些容器，或换一台主机；--adopt 仅观察",
    ),
    "names ok": Said("each its own, as in the inventory", "互不相同，与清单一致"),
    "names twice": Said(
        "{hosts} have the same name {hostname}",
        "{hosts} 的主机名相同：{hostname}",
        "hostnamectl set-hostname NAME on each (course 1.1): the swarm shows hosts by it",
        "在每台主机上执行 hostnamectl set-hostname 名称（教程 1.1）：swarm 以主机名显示节点",
    ),
    "name other": Said(
        "is called {hostname} itself",
        "自身的主机名是 {hostname}",
        "hostnamectl set-hostname {host}, or name it {hostname} in the inventory (course 1.1)",
        "hostnamectl set-hostname {host}，或在清单中将其命名为 {hostname}（教程 1.1）",
    ),
    "hosts ok": Said("every host knows the others' addresses", "每台主机都知道其他主机的地址"),
    "hosts lacks": Said(
        "does not know {names}",
        "不认识 {names}",
        "add to its /etc/hosts: {lines} (course 1.1; a swarm does not need it)",
        "在其 /etc/hosts 中加入：{lines}（教程 1.1；swarm 本身不需要）",
    ),
    "hosts wrong": Said(
        "has another address for {names}",
        "{names} 的地址不对",
        "in its /etc/hosts: {lines}",
        "其 /etc/hosts 中应为：{lines}",
    ),
    "address ok": Said("{address} on {interface}", "{address}，网卡 {interface}"),
    "address several": Said(
        "{address} on {interface}; it also has {others}, which is why it must be named",
        "{address}，网卡 {interface}；另有 {others}，因此必须写明通告地址",
    ),
    "address not its": Said(
        "{address} is none of its addresses: {others}",
        "{address} 不是它的地址：{others}",
        "in the inventory, as address: the one by which the other hosts reach it",
        "在清单的 address 处写其他主机访问它所用的地址",
    ),
    "address nat": Said(
        "{address} is also an address of {others}: that is the NAT of VirtualBox",
        "{address} 也是 {others} 的地址：这是 VirtualBox 的 NAT 网卡",
        "in the inventory, as address: the one of the Host-Only interface (course 1.1)",
        "在清单的 address 处写 Host-Only 网卡的地址（教程 1.1）",
    ),
    "ports ok": Said("{n} tried over TCP and UDP: all open", "已用 TCP 和 UDP 试过 {n} 个：均开放"),
    "ports used": Said(
        "not to be told over UDP, as an engine uses them: {ways}",
        "引擎正在使用，无法判断 UDP 是否可达：{ways}",
    ),
    "port closed": Said(
        "{ways}: {how}",
        "{ways}：{how}",
        "open them at {to}: firewall-cmd --permanent --add-port={port}/{kind} && firewall-cmd --reload, or ufw allow {port}/{kind}",
        "在 {to} 上开放：firewall-cmd --permanent --add-port={port}/{kind} && firewall-cmd --reload，或 ufw allow {port}/{kind}",
    ),
    "ports untried": Said(
        "not tried: there is no python on it",
        "未测试：没有 python",
        "install python3, or try by hand: nc -zv HOST 2377",
        "安装 python3，或手动测试：nc -zv 主机 2377",
    ),
    "mtu ok": Said("packets of {mtu} bytes pass", "{mtu} 字节的数据包可以通过"),
    "mtu differs": Said(
        "interfaces differ: {mtus}",
        "网卡的 MTU 不一致：{mtus}",
        "ip link set dev INTERFACE mtu N, the same on all hosts",
        "ip link set dev 网卡 mtu N，所有主机相同",
    ),
    "mtu vanishes": Said(
        "packets of {mtu} bytes vanish: {ways}",
        "{mtu} 字节的数据包丢失：{ways}",
        "a smaller mtu at the interfaces, or docker network create --opt com.docker.network.driver.mtu=N for overlays",
        "减小网卡的 mtu，或创建 overlay 时用 --opt com.docker.network.driver.mtu=N",
    ),
    "latency": Said("{ms} ms one way, measured", "单程 {ms} 毫秒（实测）"),
    "clock ok": Said("at most {most} s from this machine's", "与本机相差不超过 {most} 秒"),
    "clock off": Said(
        "{ahead} s off this machine's clock",
        "与本机时钟相差 {ahead} 秒",
        "chronyd or systemd-timesyncd on it: timedatectl set-ntp true",
        "启用 chronyd 或 systemd-timesyncd：timedatectl set-ntp true",
    ),
    "clock unusable": Said(
        "{ahead} s off this machine's clock: certificates are not valid yet, or no more",
        "与本机时钟相差 {ahead} 秒：证书尚未生效或已失效",
        "set it: timedatectl set-ntp true, or date -s",
        "校准时钟：timedatectl set-ntp true，或 date -s",
    ),
    "disk ok": Said("{free} free at least", "至少有 {free} 可用"),
    "disk low": Said(
        "{free} free", "剩余 {free}", "docker system prune, or a larger disk", "docker system prune，或扩大磁盘"
    ),
    "disk full": Said(
        "full: {free} free",
        "磁盘已满：剩余 {free}",
        "docker system prune -a, or a larger disk: engines refuse to pull, and Raft to write",
        "docker system prune -a，或扩大磁盘：否则引擎无法拉取镜像，Raft 无法写入",
    ),
    "memory ok": Said("{free} free at least", "至少有 {free} 可用"),
    "memory low": Said(
        "{free} of {whole} free",
        "{whole} 中剩余 {free}",
        "more memory for the machine: a manager needs some 100 MB, and the times of one that swaps tell nothing",
        "增加内存：管理节点约需 100 MB，使用交换分区时测得的时间没有意义",
    ),
    "firewall none": Said("neither firewalld nor ufw is active", "firewalld 和 ufw 均未启用"),
    "firewall open": Said("{names}: lets the swarm through", "{names}：未阻挡 swarm"),
    "firewall active": Said("{names} is active", "{names} 已启用"),
    "tools ok": Said("nft is there", "有 nft"),
    "tools iptables": Said("iptables, but no nft", "有 iptables，没有 nft"),
    "tools lack": Said(
        "neither nft nor iptables: hosts cannot be cut off from each other",
        "没有 nft 和 iptables：无法切断主机之间的连接",
        "install nftables",
        "安装 nftables",
    ),
}
"""What is found."""

FRAME: dict[str, tuple[str, str]] = {
    "check": ("what", "检查"),
    "host": ("host", "主机"),
    "found": ("found", "结果"),
    "all": ("all", "全部"),
    "can": ("A scenario can run here.", "可以在此运行场景。"),
    "cannot": (
        "No scenario can run here until every line marked ✗ is mended ({n}).",
        "标有 ✗ 的各项（共 {n} 项）修复之前无法运行场景。",
    ),
}
"""What is around it."""
