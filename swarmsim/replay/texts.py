"""What swarmsim says, in English and in Simplified Chinese: the mechanism, and what is said of a run on a terminal and a page.

The app has a table of its own, of the same form (``tui/texts.py``). Sentences that rows and the story tell are translated by the
phrase book in :mod:`swarmsim.replay.chinese`. Docker's words, figures and names stay as they are.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from swarmsim.replay.chinese import chinese
from swarmsim.replay.timeline import Line

LANGUAGES = ("en", "zh")
Table = Mapping[str, tuple[str, str]]

RUN: dict[str, tuple[str, str]] = {
    # what is run
    "origin": ("scenario {scenario}, seed {seed}, profile {profile}", "场景 {scenario}，种子 {seed}，配置 {profile}"),
    "recorded": ("recorded on a real cluster", "在真实集群上录制"),
    "long": ("{took} long", "时长 {took}"),
    # the story
    "others": (
        "… and what followed from {n} more; --verbose tells all",
        "… 另有 {n} 个起因及其后果；--verbose 显示全部",
    ),
    "others below": (
        "… and what followed from {n} more causes, in the timeline below.",
        "… 另有 {n} 个起因及其后果，见下方时间线。",
    ),
    "unnoticed": ("Nothing that a manager noticed.", "管理节点没有察觉到任何变化。"),
    # what was missing
    "missing in": ("missing in {took}", "{took} 内的缺失"),
    "missing what": ("what", "内容"),
    "missing time": ("time", "时长"),
    "missing share": ("share", "占比"),
    "missing incidents": ("incidents", "次数"),
    "missing longest": ("longest", "最长"),
    # the verdict
    "interrupted": ("interrupted", "已中断"),
    "interrupted trace": ("interrupted: the trace holds what happened until then", "已中断：轨迹中有此前发生的一切"),
    "all hold": ("all expectations hold ({took} simulated)", "所有预期均满足（模拟 {took}）"),
    "all hold real": ("all expectations hold ({took} on real engines)", "所有预期均满足（真实引擎上 {took}）"),
    "unmet one": ("1 expectation not met:", "1 项预期未满足："),
    "unmet many": ("{n} expectations not met:", "{n} 项预期未满足："),
    "expected": ("  expected {what}", "  预期 {what}"),
    "seen": ("  seen     {what}", "  实际 {what}"),
    "but": ("but: {what}", "但是：{what}"),
    "note": ("note: {what}", "注意：{what}"),
    "traffic": ("traffic {name}: {what}", "流量 {name}：{what}"),
    "trace": ("trace: {path}", "轨迹：{path}"),
    "plot": ("plot:  {path}", "图：  {path}"),
    # the same in a line
    "line": ("{scenario}, seed {seed}: ", "{scenario}，种子 {seed}："),
    "line unmet": ("not met: expected {expected}; seen {seen}", "未满足：预期 {expected}；实际 {seen}"),
    "line more": (" (and {n} more)", "（另有 {n} 项）"),
    "line trace": ("trace {path}", "轨迹 {path}"),
    "line between": ("; ", "；"),
    # many runs
    "seeds seconds": ("{name}: seeds {first}..{last}, seconds", "{name}：种子 {first}..{last}，单位秒"),
    "seeds mean": (
        "{name}: seeds {first}..{last}, mean of a run and its 95 % confidence interval",
        "{name}：种子 {first}..{last}，单次运行的均值及其 95 % 置信区间",
    ),
    "milestone": ("milestone", "里程碑"),
    "missing mean": ("missing", "缺失"),
    "mean": ("mean", "均值"),
    "stopped early": (
        "stopped after {n} of {all} seeds: every share is known as precisely as was asked",
        "在 {all} 个种子中的第 {n} 个后停止：各项占比已达到所要求的精度",
    ),
    "runs unmet": ("{n} of {all} runs with unmet expectations:", "{all} 次运行中有 {n} 次未满足预期："),
    "seed unmet": ("  seed {seed}: {what}", "  种子 {seed}：{what}"),
    "runs hold": ("all expectations hold in all {n} runs", "全部 {n} 次运行均满足所有预期"),
    # the page
    "happened": ("What happened", "发生了什么"),
    "verdict": ("Verdict", "结论"),
    "page hold": ("All expectations hold.", "所有预期均满足。"),
    "page unmet": ("Expected {expected}; seen: {seen}", "预期 {expected}；实际：{seen}"),
    "page worlds": (
        "real runs: {real} ({where}); simulated: {simulated}",
        "真实运行 {real} 次（{where}），模拟运行 {simulated} 次",
    ),
    "standing same": ("The same", "一致"),
    "standing same so far": ("The same so far", "目前一致"),
    "standing in doubt": ("In doubt", "存疑"),
    "standing differs": ("They differ", "不一致"),
    "real seconds": ("real, seconds", "真实值（秒）"),
    "side by side": ("Side by side", "并排对照"),
    "side real": ("Real engines", "真实引擎"),
    "side simulated": ("The model: the simulated run nearest to the middle of all", "模型：最接近中位的一次模拟运行"),
    "never simulated": ("Seen, and in no simulated run", "见于真实运行，而任何模拟运行中都没有"),
    "as new": (
        "Chance shows something new now and then: {n} of the {of} simulated runs, too, do what no other does.",
        "偶然也会出现新情况：{of} 次模拟运行中有 {n} 次也做了其他运行没有做的事。",
    ),
    "picture against": (
        "Bars: where 98 % and 80 % of simulated values lie, with the median; diamonds: real ones.",
        "条形：98 % 与 80 % 的模拟值所在范围及中位数；菱形：真实值。",
    ),
    "was missing": ("What was missing", "缺失了什么"),
    "pictures": ("Pictures", "图"),
    "picture run": (
        "Tasks by what they are doing, and what the managers thought of every node.",
        "各状态的任务数，以及管理节点眼中的每个节点。",
    ),
    "picture lanes": (
        "Where each task of {service} ran: a lane for every slot, a colour and hatch for every node.",
        "{service} 的每个任务在哪里运行：每个槽位一行，每个节点一种颜色和花纹。",
    ),
    "picture raft": (
        "Raft: who led in which term; the ground is red where nobody could write.",
        "Raft：各任期由谁领导；红色底表示无人可以写入。",
    ),
    "picture shares": ("Answers a second, by the task that answered.", "每秒应答数（按应答的任务）。"),
    "picture latency": (
        "How long answered requests took: median, the middle 90 %, the longest.",
        "已应答请求的耗时：中位数、中间 90 %、最长。",
    ),
    "picture reach": (
        "From where which port of which host was answered; a cross: nobody answered.",
        "从何处访问哪台主机的哪个端口得到应答；叉号：无人应答。",
    ),
    "picture views": (
        "What each node's load balancer knew of {service}, against who was there.",
        "各节点的负载均衡器对 {service} 的了解，与实际情况对比。",
    ),
    "picture traffic": (
        "Requests a second by when they began, and how they ended.",
        "每秒请求数（按开始时间）及其结果。",
    ),
    "picture certificates": (
        "Certificates: which root signed each host's, when it was renewed, when it expired; thin: the root it trusts.",
        "证书：各主机证书由哪个根证书签发、何时续期、何时过期；细条：其信任的根证书。",
    ),
    "picture availability": (
        "Containers alive against replicas wanted; red where some were missing.",
        "存活的容器与期望的副本数；红色表示有缺失。",
    ),
    "milestones": ("Milestones", "里程碑"),
    "seconds": ("seconds", "秒"),
    "timeline": ("Timeline", "时间线"),
    "zoom help": (
        "Drag over the strip to look closer, turn the wheel, or press + − ← →; a double click shows all.",
        "在条带上拖动可放大，也可滚动滚轮或按 + − ← →；双击显示全部。",
    ),
    "zoom in": ("closer", "放大"),
    "zoom out": ("wider", "缩小"),
    "zoom all": ("all", "全部"),
    "unfold": ("unfold all", "全部展开"),
    "fold": ("fold all", "全部折叠"),
    "filter": ("filter, such as web.3 or m2", "过滤，例如 web.3 或 m2"),
    "before": ("before anything was done", "尚无任何操作"),
    "more lines": ("{n} more lines are in the trace.", "另有 {n} 行在轨迹中。"),
    "sort faults": ("faults", "故障"),
    "sort commands": ("commands", "命令"),
    "sort good": ("good news", "好消息"),
    "sort bad": ("bad news", "坏消息"),
    "sort details": ("details", "细节"),
    "sort sessions": ("sessions", "会话"),
    "sort waits": ("waits", "等待"),
    "sort notes": ("notes", "备注"),
    "again": ("Do it again", "重现"),
}
"""What ``run`` and ``report`` say of a run."""


class Texts:
    """The texts of one language, from a table of them.

    >>> Texts("zh")("mean"), Texts("en")("long", took="5 s")
    ('均值', '5 s long')
    """

    def __init__(self, language: str, table: Table = RUN) -> None:
        self.language = language
        self._table = table
        self._column = LANGUAGES.index(language)

    def __call__(self, key: str, **values: object) -> str:
        text = self._table[key][self._column]
        return text.format(**values) if values else text

    def told(self, sentence: str) -> str:
        """A sentence that rows tell, which are English; what no phrase book has stays as it is: it is Docker's, or the scenario's.

        >>> Texts("zh").told("m2: the engine has ended"), Texts("en").told("m2: the engine has ended")
        ('m2：引擎已停止', 'm2: the engine has ended')
        """
        return (chinese(sentence) or sentence) if self.language == "zh" else sentence

    def line(self, line: Line) -> str:
        """A line of the timeline; what was typed and answered stays as it is."""
        return line.text if line.sort in ("command", "error") else self.told(line.text)


def language_of(environment: Mapping[str, str] | None = None) -> str:
    """The language of the user's locale, of those there are.

    >>> language_of({"LANG": "zh_CN.UTF-8"}), language_of({"LANG": "de_DE.UTF-8"})
    ('zh', 'en')
    """
    found = os.environ if environment is None else environment
    locale = found.get("LC_ALL") or found.get("LC_MESSAGES") or found.get("LANG") or ""
    return "zh" if locale.startswith("zh") else "en"


def language_named(lang: str | None) -> str:
    """The language of ``--lang``, or that of the locale. Raises :class:`ValueError` if there is no such language."""
    if lang is not None and lang not in LANGUAGES:
        raise ValueError(f"--lang {lang}: there are {', '.join(LANGUAGES)}")
    return lang or language_of()
