"""The story in Simplified Chinese: a phrase book from the sentences that rows and the timeline have, which are English.

Rows keep their words (a fault's, a condition's, why a task was placed), and traces are read that were written long ago; so
sentences are translated where they are shown. Names, figures, and Docker's own words (states, messages, errors) stay as they are.
"""

from __future__ import annotations

import re
from functools import lru_cache

PHRASES: tuple[tuple[str, str], ...] = (
    # the timeline
    ("-- end", "-- 结束"),
    ("-- {name} begins", "-- {name} 开始"),
    ("-- watched until here", "-- 观看至此"),
    ("!! {what}", "!! {what}"),
    ("=> {what} (after {took})", "=> {what}（{took} 后）"),
    ("=> {what} (after {took}), so managers believe; {what2}", "=> {what}（{took} 后），管理节点如此认为；{what2}"),
    ("=> {what}: not reached in {took}", "=> {what}：{took} 内未达到"),
    ("UNMET: expected {what}; seen: {what2}", "未满足：预期 {what}；实际：{what2}"),
    ("no manager answers", "没有管理节点应答"),
    ("a manager answers", "有管理节点应答"),
    ("service {name}: {state} ({said})", "服务 {name}：{state}（{said}）"),
    ("{host} leads (Raft term {term})", "{host} 成为领导者（Raft 任期 {term}）"),
    ("{host} stands for election (term {term})", "{host} 参选（任期 {term}）"),
    ("{host} votes for {other} (term {term})", "{host} 投票给 {other}（任期 {term}）"),
    ("{node}: {said} (no heartbeat for {took})", "{node}：{said}（{took} 无心跳）"),
    ("{node} registers with {manager}", "{node} 向 {manager} 注册"),
    ("{host} loses its session with {manager}: {said}", "{host} 与 {manager} 的会话中断：{said}"),
    ("{host}: a container of {service} is {state}", "{host}：{service} 的一个容器 {state}"),
    ("{host}: the engine has ended", "{host}：引擎已停止"),
    ("{host}: the engine answers", "{host}：引擎有应答"),
    ("{task} → {node}: {reason}", "{task} → {node}：{reason}"),
    ("… and {n} more tasks got a node", "… 另有 {n} 个任务分配到节点"),
    ("… {n} more lines until here; the trace has it all", "… 至此另有 {n} 行；轨迹中有全部内容"),
    ("1 task removed", "移除 1 个任务"),
    ("{n} tasks removed", "移除 {n} 个任务"),
    ("{n} tasks: {names} and {more} more: {state}", "{n} 个任务：{names} 等（另有 {more} 个）：{state}"),
    ("{n} tasks: {names}: {state}", "{n} 个任务：{names}：{state}"),
    ("{n} nodes: {names} and {more} more: {state}", "{n} 个节点：{names} 等（另有 {more} 个）：{state}"),
    ("{n} nodes: {names}: {state}", "{n} 个节点：{names}：{state}"),
    ("{words}, to start now", "{words}，即将启动"),
    ("{words}, not to start yet", "{words}，暂不启动"),
    ("{words}, not to run again", "{words}，不再运行"),
    ("{words}, to be shut down", "{words}，将被停止"),
    ("{words}, to be removed", "{words}，将被移除"),
    ("{one} on {two}: {state}", "{one} 在 {two}：{state}"),
    ("{one}: {state}", "{one}：{state}"),
    # faults
    ("power off {names}", "断电 {names}"),
    ("power on {names}", "恢复供电 {names}"),
    ("kill host {names}", "杀掉主机 {names}"),
    ("kill engine {names}", "杀掉引擎 {names}"),
    ("start engine {names}", "启动引擎 {names}"),
    ("kill container {which}", "杀掉容器 {which}"),
    ("fail healthcheck {which}", "健康检查失败 {which}"),
    ("cut off {names}", "隔离 {names}"),
    ("partition {names}", "网络分区 {names}"),
    ("heal {names}", "恢复网络 {names}"),
    ("latency {host} {took} s", "延迟 {host} {took} s"),
    ("loss {host} {share} %", "丢包 {host} {share} %"),
    ("any on {host}", "{host} 上任意一个"),
    ("all", "全部"),
    # conditions, and what was seen
    ("{n} running", "{n} 个运行"),
    ("settled for {took} s", "稳定 {took} s"),
    ("leader elected", "已选出领导者"),
    ("leader none", "无领导者"),
    ("leader {host}", "领导者 {host}"),
    ("{host} leads", "{host} 为领导者"),
    ("nobody leads", "无领导者"),
    ("{what} within {took} s", "{took} s 内 {what}"),
    ("{shown} shown, {alive} alive", "显示 {shown}，实际 {alive}"),
    # why a task is where it is
    ("{n} recent failures, {reason}", "最近失败 {n} 次，{reason}"),
    ("{n} tasks of the service, {all} in all", "该服务任务 {n} 个，共 {all} 个"),
)
"""English and Chinese, the more particular first. What braces hold is a name or figure, and stays; or a sentence of its own."""

NESTED = frozenset(("what", "what2", "reason", "state", "words", "which", "names"))
"""Names of what may be a phrase itself."""


FIGURE, WORD = r"[\d.,]+", r"\S+?"
KINDS = {
    **dict.fromkeys(("n", "more", "term", "all", "share"), FIGURE),
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
