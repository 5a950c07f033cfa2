"""A run in Simplified Chinese: a phrase book from the sentences that rows, timeline and story have, which are English.

Rows keep their words (a fault's, a condition's, why a task was placed), and traces are read that were written long ago; so
sentences are translated where they are shown. Names, figures, and Docker's own words (states, messages, errors) stay as they are.
"""

from __future__ import annotations

import re
from functools import lru_cache

PHRASES: tuple[tuple[str, str], ...] = (
    # what was missing
    ("no quorum{of}", "无法定人数{of}"),
    ("no leader{of}", "无领导者{of}"),
    ("{name} below replicas{of}", "{name} 少于期望副本{of}"),
    ("{name} at zero{of}", "{name} 降为零{of}"),
    ("heartbeats lost: nodes", "失去心跳的节点数"),
    (": share", "：占比"),
    (": incidents", "：次数"),
    (": longest", "：最长"),
    # milestones
    ("{what} ({n})", "{what}（{n}）"),
    ("wait: {what}", "等待：{what}"),
    ("docker {cmd} takes", "docker {cmd} 用时"),
    ("what is asked after the fault {said}", "故障后的询问 {said}"),
    ("power off to {mark}", "断电到 {mark}"),
    ("power on to {mark}", "恢复供电到 {mark}"),
    ("kill engine to {mark}", "杀掉引擎到 {mark}"),
    ("start engine to {mark}", "启动引擎到 {mark}"),
    ("cut to {mark}", "隔离到 {mark}"),
    ("heal to {mark}", "恢复网络到 {mark}"),
    ("partition to {mark}", "网络分区到 {mark}"),
    ("kill container to {mark}", "杀掉容器到 {mark}"),
    ("manager answers", "有管理节点应答"),
    ("a node down that was not hit", "未受影响的节点 down"),
    ("scale down to task gone", "缩容到任务消失"),
    ("failed to replacement created", "失败到创建替代任务"),
    ("down to replacement created", "down 到创建替代任务"),
    ("replacement created to wanted running", "创建替代任务到期望其运行"),
    ("replacement wanted running to running", "期望替代任务运行到其运行"),
    ("failed to replacement running", "失败到替代任务运行"),
    ("running to failed", "运行到失败"),
    # the timeline
    ("-- end", "-- 结束"),
    ("-- {name} begins", "-- {name} 开始"),
    ("-- watched until here", "-- 观看至此"),
    ("!! {what}", "!! {what}"),
    ("=> {what} (after {took})", "=> {what}（{took} 后）"),
    ("=> {what} (after {took}), so managers believe; {what2}", "=> {what}（{took} 后），管理节点如此认为；{what2}"),
    ("=> {what}: not reached in {took}", "=> {what}：{took} 内未达到"),
    ("UNMET: expected {what}; seen: {what2}", "未满足：预期 {what}；实际：{what2}"),
    ("traffic {name}: {what}", "流量 {name}：{what}"),
    ("{n} requests, {more} lost; {what}", "{n} 个请求，丢失 {more} 个；{what}"),
    ("{n} requests, {more} lost ({kinds}); {what}", "{n} 个请求，丢失 {more} 个（{kinds}）；{what}"),
    ("{n} requests, {more} lost, {share} % ok", "{n} 个请求，丢失 {more} 个，成功 {share} %"),
    ("{n} requests, {more} lost ({kinds}), {share} % ok", "{n} 个请求，丢失 {more} 个（{kinds}），成功 {share} %"),
    ("median {n} ms, 99 % within {more} ms", "中位数 {n} ms，99 % 在 {more} ms 内"),
    ("no manager answers", "没有管理节点应答"),
    ("a manager answers", "有管理节点应答"),
    ("service {name}: {state} ({said})", "服务 {name}：{state}（{said}）"),
    (
        "image {name} is not known here: taken for a server that every host has, well at once, stopping when told to; "
        "say under images: what is so",
        "镜像 {name} 未知：视为每台主机都有、立即就绪、收到信号即停止的服务；请在 images: 下说明实际情况",
    ),
    (
        "images {name} are not known here: taken for servers that every host has, well at once, stopping when told to; "
        "say under images: what is so",
        "镜像 {name} 未知：视为每台主机都有、立即就绪、收到信号即停止的服务；请在 images: 下说明实际情况",
    ),
    (
        "there is no image {name}, so its tasks are rejected; if there is, describe it under images:",
        "没有镜像 {name}，其任务被拒绝；如果存在，请在 images: 下描述",
    ),
    (
        "there are no images {name}, so their tasks are rejected; if there are, describe them under images:",
        "没有镜像 {name}，其任务被拒绝；如果存在，请在 images: 下描述",
    ),
    ("image {name} is not known here: assumed to be there", "镜像 {name} 未知：假定存在"),
    ("{host} leads (Raft term {term})", "{host} 成为领导者（Raft 任期 {term}）"),
    ("{host} stands for election (term {term})", "{host} 参选（任期 {term}）"),
    ("{host} votes for {other} (term {term})", "{host} 投票给 {other}（任期 {term}）"),
    ("{node}: {said} (no heartbeat for {took})", "{node}：{said}（{took} 无心跳）"),
    ("{node} registers with {manager}", "{node} 向 {manager} 注册"),
    ("{host} hears of {peer} (gossip)", "{host} 得知 {peer}（gossip）"),
    ("{host} suspects {peer} (gossip)", "{host} 怀疑 {peer} 失联（gossip）"),
    ("{host} gives up {peer} (gossip)", "{host} 判定 {peer} 已失联（gossip）"),
    ("{host} has the farewell of {peer} (gossip)", "{host} 收到 {peer} 的告别（gossip）"),
    ("{host} loses its session with {manager}: {said}", "{host} 与 {manager} 的会话中断：{said}"),
    ("{host}: a container of {service} is {state}", "{host}：{service} 的一个容器 {state}"),
    ("{host}: the engine has ended", "{host}：引擎已停止"),
    ("{host}: the engine answers", "{host}：引擎有应答"),
    ("{host} has a new {role}'s certificate", "{host} 换了新的 {role} 证书"),
    ("{host} is locked: it waits for the unlock key", "{host} 已锁定，等待解锁密钥"),
    ("{host} is no longer locked", "{host} 已解锁"),
    ("{host} will ask for an unlock key when it starts again", "{host} 重新启动时将要求解锁密钥"),
    ("{host} will ask for no unlock key any more when it starts again", "{host} 重新启动时不再要求解锁密钥"),
    ("{host} has nodes ask for certificates of a new root", "{host} 让各节点申请由新根证书签发的证书"),
    ("{host}: no certificate for {node}: {why}", "{host}：{node} 未得到证书：{why}"),
    ("{host}: every node has a certificate of the new root", "{host}：所有节点的证书都已由新根证书签发"),
    ("{host} is not in the swarm any more: {error}", "{host} 已不在集群中：{error}"),
    ("{task} → {node}: {reason}", "{task} → {node}：{reason}"),
    ("… and {n} more tasks got a node", "… 另有 {n} 个任务分配到节点"),
    ("… {n} more lines until here; the trace has it all", "… 至此另有 {n} 行；轨迹中有全部内容"),
    ("1 task removed", "移除 1 个任务"),
    ("{n} tasks removed", "移除 {n} 个任务"),
    ("{n} tasks: {names} and {more} more: {state}", "{n} 个任务：{names} 等（另有 {more} 个）：{state}"),
    ("{n} tasks: {names}: {state}", "{n} 个任务：{names}：{state}"),
    ("{n} nodes: {names} and {more} more: {state}", "{n} 个节点：{names} 等（另有 {more} 个）：{state}"),
    ("{n} nodes: {names}: {state}", "{n} 个节点：{names}：{state}"),
    ("{words}, to start now{error}", "{words}，即将启动{error}"),
    ("{words}, not to start yet{error}", "{words}，暂不启动{error}"),
    ("{words}, not to run again{error}", "{words}，不再运行{error}"),
    ("{words}, to be a manager", "{words}，将成为管理节点"),
    ("{words}, to be a worker", "{words}，将成为工作节点"),
    ("{words}, to be shut down{error}", "{words}，将被停止{error}"),
    ("{words}, to be removed{error}", "{words}，将被移除{error}"),
    ("{one} on {two}: {state}", "{one} 在 {two}：{state}"),
    ("{one}: {state}", "{one}：{state}"),
    # faults
    ("power off {names}", "断电 {names}"),
    ("back up {host} as {name}", "将 {host} 备份为 {name}"),
    ("restore {host} from {name}", "用 {name} 恢复 {host}"),
    ("power on {names}", "恢复供电 {names}"),
    ("kill host {names}", "杀掉主机 {names}"),
    ("kill engine {names}", "杀掉引擎 {names}"),
    ("start engine {names}", "启动引擎 {names}"),
    ("kill container {which}", "杀掉容器 {which}"),
    ("fail healthcheck {which}", "健康检查失败 {which}"),
    ("cut off {names}", "隔离 {names}"),
    ("partition {names}", "网络分区 {names}"),
    ("heal {names}", "恢复网络 {names}"),
    ("latency {host} {n} s", "延迟 {host} {n} s"),
    ("loss {host} {share} %", "丢包 {host} {share} %"),
    ("block {host} {ports}", "封锁 {host} 的端口 {ports}"),
    ("unblock {host} {ports}", "开放 {host} 的端口 {ports}"),
    ("mtu {host} as usual", "MTU {host} 恢复正常"),
    ("mtu {host} {n} bytes", "MTU {host} {n} 字节"),
    ("clock {host} right", "时钟 {host} 已校准"),
    ("clock {host} {n} {unit} behind", "时钟 {host} 慢 {n} {unit}"),
    ("clock {host} {n} {unit} ahead", "时钟 {host} 快 {n} {unit}"),
    ("{words}, gaining {n} ppm", "{words}，走快 {n} ppm"),
    ("{words}, losing {n} ppm", "{words}，走慢 {n} ppm"),
    ("authority {host} answers {said} after {n} s", "证书机构 {host} 应答 {said}，{n} s 后"),
    ("authority {host} answers {said}", "证书机构 {host} 应答 {said}"),
    ("any on {host}", "{host} 上任意一个"),
    ("all", "全部"),
    # conditions, and what was seen
    ("{what}, by what managers believe: {what2}", "{what}，依管理节点所见：{what2}"),
    ("service {name}: {all} of {n} running", "服务 {name}：{n} 个中 {all} 个运行"),
    ("service {name}: {what}", "服务 {name}：{what}"),
    ("there is no {kind} {name}", "没有 {kind} {name}"),
    ("{host}: {n} containers running", "{host}：{n} 个容器运行"),
    ("{n} rows of {name}", "{n} 行 {name}"),
    ("{name} has not run", "{name} 尚未执行"),
    ("{name}: exit code {n}, said {said}", "{name}：退出码 {n}，输出 {said}"),
    ("task {one}: {state}, wanted {said}", "任务 {one}：{state}，期望 {said}"),
    ("{n} running, {what}", "{n} 个运行，{what}"),
    ("{n} alive, {what}", "{n} 个存活，{what}"),
    ("{n} replicas wanted, {what}", "期望 {n} 个副本，{what}"),
    ("{n} running", "{n} 个运行"),
    ("{n} alive", "{n} 个存活"),
    ("{n} replicas wanted", "期望 {n} 个副本"),
    ("settled for {n} s", "稳定 {n} s"),
    ("leader elected", "已选出领导者"),
    ("leader none", "无领导者"),
    ("leader {host}", "领导者 {host}"),
    ("{host} leads", "{host} 为领导者"),
    ("nobody leads", "无领导者"),
    ("{what} within {n} s", "{n} s 内 {what}"),
    ("{shown} shown, {alive} alive", "显示 {shown}，实际 {alive}"),
    # the story
    ("the beginning", "开始"),
    ("{cmd} and 1 more command", "{cmd} 及另外 1 条命令"),
    ("{cmd} and {n} more commands", "{cmd} 及另外 {n} 条命令"),
    (
        "{took} to {took2} later the managers took {names} for down.",
        "{took} 至 {took2} 后，管理节点认定 {names} 为 down。",
    ),
    ("{took} later the managers took {names} for down.", "{took} 后，管理节点认定 {names} 为 down。"),
    ("{took} later no manager answered any more.", "{took} 后，不再有管理节点应答。"),
    ("{took} later a manager answered again.", "{took} 后，又有管理节点应答。"),
    ("{took} later {host} began to replace the root certificate.", "{took} 后，{host} 开始更换根证书。"),
    (
        "{took} later every node had a certificate of the new root, which was trusted from then on.",
        "{took} 后，所有节点都有新根证书签发的证书，此后信任新根证书。",
    ),
    ("{took} later {host} led, in term {term}.", "{took} 后，{host} 成为领导者，任期 {term}。"),
    (
        "{took} later there was no quorum: {up} of {n} managers were up.",
        "{took} 后，失去法定人数：{n} 个管理节点中仅 {up} 个在线。",
    ),
    ("{took} later there was no quorum: no manager was up.", "{took} 后，失去法定人数：没有管理节点在线。"),
    ("{took} later {name}: {said}.", "{took} 后，{name}：{said}。"),
    ("{what}: waited for in vain for {took}.", "{what}：等待 {took} 未果。"),
    ("{n} tasks of {name} came up, the last {took} later.", "{name} 的 {n} 个任务开始运行，最后一个在 {took} 后。"),
    ("A task of {name} came up {took} later.", "{took} 后，{name} 的一个任务开始运行。"),
    ("{n} task of {name} had to wait: {said}.", "{name} 的 {n} 个任务需等待：{said}。"),
    ("{n} tasks of {name} had to wait: {said}.", "{name} 的 {n} 个任务需等待：{said}。"),
    ("{n} tasks of {name} failed.", "{name} 的 {n} 个任务失败。"),
    ("{n} task of {name} failed.", "{name} 的 {n} 个任务失败。"),
    ("It failed after {took}: {said}.", "该命令在 {took} 后失败：{said}。"),
    ("It failed: {said}.", "该命令失败：{said}。"),
    ("docker {cmd} failed after {took}: {said}.", "docker {cmd} 在 {took} 后失败：{said}。"),
    ("docker {cmd} failed: {said}.", "docker {cmd} 失败：{said}。"),
    ("{list} and {n} more", "{list} 等另外 {n} 个"),
    ("{list} and {one}", "{list} 和 {one}"),
    # why a task is where it is
    ("{n} recent failures, {reason}", "最近失败 {n} 次，{reason}"),
    ("{n} tasks of the service, {all} in all", "该服务任务 {n} 个，共 {all} 个"),
    ("{what}: {seen}", "{what}：{seen}"),
)
"""English and Chinese, the more particular first. What braces hold is a name or figure, and stays; or a sentence of its own."""

NESTED = frozenset(("what", "what2", "reason", "state", "words", "which", "names", "mark", "of", "seen"))
"""Names of what may be a phrase itself."""


FIGURE, WORD, LIST = r"[\d.,]+", r"\S+?", r"\S+(?:, \S+)*"
KINDS = {
    "list": LIST,
    "error": r"(?: \(.*\))?",
    "seen": r"(?:service|no manager|nobody|there is no|settled|node|task|\S+ leads).*",
    "of": "(?:: share|: incidents|: longest)?",
    "kind": "service|node|task",
    **dict.fromkeys(("took", "took2"), r"(?:[\d.]+ \w+ ?)+?"),
    **dict.fromkeys(("n", "more", "term", "all", "share", "up"), FIGURE),
    **dict.fromkeys(("one", "two", "host", "node"), WORD),
}
"""What braces of these names hold; others hold anything."""


def _pattern(english: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", english)
    held = [
        f"(?P<{part}>{KINDS.get(part, '.+?')})" if place % 2 else re.escape(part) for place, part in enumerate(parts)
    ]
    return re.compile("".join(held), re.DOTALL)


_BOOK = tuple((_pattern(english), chinese) for english, chinese in PHRASES)


@lru_cache(maxsize=10_000)
def chinese(text: str) -> str | None:
    """A sentence of ours in Chinese; ``None`` if the book does not have it.

    >>> chinese("m1 leads (Raft term 6)")
    'm1 成为领导者（Raft 任期 6）'
    >>> chinese("=> 5 running (after 1.2 s)")
    '=> 5 个运行（1.2 s 后）'
    >>> chinese("context deadline exceeded") is None
    True
    """
    for pattern, phrase in _BOOK:
        found = pattern.fullmatch(text)
        if found is not None:
            return phrase.format(**{name: _part(name, value) for name, value in found.groupdict().items()})
    return None


def _part(name: str, text: str) -> str:
    return (chinese(text) or text) if name in NESTED else text
