"""What the app says, in English and in Simplified Chinese. Words of Docker's own stay as they are in both."""

from __future__ import annotations

import os

LANGUAGES = ("en", "zh")

TEXTS: dict[str, tuple[str, str]] = {
    # panels
    "map": ("Cluster", "集群"),
    "tasks": ("Tasks", "任务"),
    "raft": ("Raft", "Raft 共识"),
    "story": ("Events", "事件"),
    "details": ("Details", "详情"),
    # status
    "skipping": ("event by event", "逐事件"),
    "live": ("live", "实时"),
    "recorded": ("recorded", "录像"),
    "past": ("the past", "回放"),
    "opening": ("reading", "读取中"),
    "catching up": ("catching up", "追赶中"),
    "seed": ("seed", "种子"),
    "future": ("future", "分支"),
    "no leader": ("no leader", "无领导者"),
    "no quorum": ("no quorum", "无法定人数"),
    "no answer": ("no manager answers", "没有管理节点应答"),
    "running": ("running", "运行"),
    "lost": ("lost", "已丢失"),
    "why lost": ("shown as running, but its container is gone", "显示为运行，但容器已不在"),
    "starting": ("starting", "启动"),
    "waiting": ("waiting", "等待"),
    "leaving": ("leaving", "停止"),
    "failed": ("failed", "失败"),
    "done": ("over", "结束"),
    "wanted": ("wanted", "期望"),
    "members": ("{up} of {all} up, majority {majority}", "{up}/{all} 在线，多数 {majority}"),
    # columns
    "name": ("NAME", "名称"),
    "node": ("NODE", "节点"),
    "state": ("STATE", "状态"),
    "desired": ("DESIRED", "期望状态"),
    "since": ("SINCE", "持续"),
    # details
    "nothing selected": ("Select a host or a task.", "请选择主机或任务。"),
    "host": ("host", "主机"),
    "site": ("site", "机房"),
    "no power": ("no power", "断电"),
    "engine down": ("engine down", "引擎停止"),
    "engine up": ("engine up", "引擎运行"),
    "not in swarm": ("not in the swarm", "未加入集群"),
    "cut off": ("cut off", "网络隔离"),
    "unreachable": ("unreachable", "不可达"),
    "no tasks": ("no tasks", "无任务"),
    "service": ("service", "服务"),
    "image": ("image", "镜像"),
    "update": ("update", "更新"),
    "placed": ("placed on", "调度到"),
    "life": ("its life", "生命周期"),
    "history": ("slot history", "槽位历史"),
    "term": ("term", "任期"),
    "commit": ("commit", "提交"),
    "stands in": ("stands in", "参选倒计时"),
    "on its way": ("on their way", "传输中"),
    "messages off": ("Messages are shown with --messages.", "使用 --messages 显示消息。"),
    "links": ("links", "链路"),
    "gone": ("gone", "消失"),
    # keys
    "key play": ("Play", "播放/暂停"),
    "key next": ("Next event", "下一事件"),
    "key previous": ("Previous", "上一事件"),
    "key faster": ("Faster", "加速"),
    "key slower": ("Slower", "减速"),
    "key skip": ("By events", "逐事件"),
    "key command": ("docker", "docker"),
    "key power": ("Power", "电源"),
    "key engine": ("Engine", "引擎"),
    "key cut": ("Cut", "断网"),
    "key heal": ("Heal", "恢复网络"),
    "key drain": ("Drain", "排空"),
    "key kill": ("Kill", "杀容器"),
    "key branch": ("Branch", "分支"),
    "key compare": ("Compare", "对比"),
    "key history": ("History", "历史"),
    "key only running": ("Running only", "只看运行"),
    "key filter": ("Filter", "过滤"),
    "key sort": ("Sort", "排序"),
    "key follow": ("Follow", "跟随"),
    "key save": ("Save", "保存"),
    "key theme": ("Theme", "主题"),
    "key help": ("Help", "帮助"),
    "key quit": ("Quit", "退出"),
    # questions and answers
    "sure quorum": (
        "{what}: after this only {left} of {all} managers are left, fewer than the majority of {majority}.\n"
        "Nobody can change anything until another one is back. Do it?",
        "{what}：此后仅剩 {left}/{all} 个管理节点，少于多数 {majority}。\n恢复之前无法进行任何变更。确定吗？",
    ),
    "yes": ("Yes", "是"),
    "no": ("No", "否"),
    "branch title": (
        "Another future from {t}: with which seed? (a number)",
        "从 {t} 开始新的分支：随机种子？（数字）",
    ),
    "branch made": ("future {name}: from {t} on with another seed", "分支 {name}：从 {t} 起使用新的种子"),
    "branch act": ("future {name}: from {t} on", "分支 {name}：从 {t} 起"),
    "no number": ("{text!r} is no number", "{text!r} 不是数字"),
    "record": (
        "This is a record: nothing can be done in it. Watch a scenario to do something.",
        "这是录像，无法操作。请打开一个场景。",
    ),
    "select host": ("Select a host on the map first.", "请先在地图上选择主机。"),
    "no container": ("Nothing runs there that could be killed.", "没有可以杀掉的容器。"),
    "forming": ("The cluster is still being built.", "集群仍在构建。"),
    "nothing more": ("Nothing more happens by itself.", "不会再发生任何事件。"),
    "saved": ("saved: {path}   run it: {command}", "已保存：{path}   运行：{command}"),
    "crash": ("The model broke, which is our mistake.\n\n{problem}\n\nThe trace until then: {path}", "模型出错了，这是我们的错误。\n\n{problem}\n\n已保存轨迹：{path}"),
    "too small": ("The terminal is {w}×{h}; this needs 60×18 at least.", "终端尺寸为 {w}×{h}，至少需要 60×18。"),
    "filter prompt": ("part of a name, node, state or reason", "名称、节点、状态或原因的一部分"),
    "docker prompt": ("docker command on {host}", "在 {host} 上执行 docker 命令"),
    "compare title": ("Futures", "分支对比"),
    "compare fork": ("the same until {t}, then:", "{t} 之前相同，之后："),
    "only one": ("There is one future only. Press b for another.", "只有一个分支。按 b 新建。"),
    "filtered": ("{n} of {all}", "{n}/{all}"),
    "close": ("Esc closes", "Esc 关闭"),
    # words the help uses
    "help title": ("swarmsim watch: keys", "swarmsim watch：按键"),
    "help time": ("Time", "时间"),
    "help look": ("Looking", "查看"),
    "help do": ("Doing", "操作"),
    "help seek": ("[ ]  an event back, on      { }  ten seconds back, on      Home End  begin, now; click the time line", "[ ]  前/后一个事件    { }  前/后十秒    Home End  开头/现在；可点击时间线"),
    "help select": ("arrows select a host or a task, Enter shows it, Tab changes the panel, 1…5 show one", "方向键选择，Enter 查看，Tab 切换面板，1…5 显示面板"),
    "help undo": ("Undo is going back: what is done in the past makes another future.", "撤销即回退：在过去的操作会产生新的分支。"),
}  # fmt: skip


class Texts:
    """The texts of one language.

    >>> Texts("zh")("tasks")
    '任务'
    >>> Texts("en")("no number", text="x")
    "'x' is no number"
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._column = LANGUAGES.index(language)

    def __call__(self, key: str, **values: object) -> str:
        text = TEXTS[key][self._column]
        return text.format(**values) if values else text


def language_of(environment: dict[str, str] | None = None) -> str:
    """The language of the user's locale, of those there are.

    >>> language_of({"LANG": "zh_CN.UTF-8"}), language_of({"LANG": "de_DE.UTF-8"})
    ('zh', 'en')
    """
    found = os.environ if environment is None else environment
    locale = found.get("LC_ALL") or found.get("LC_MESSAGES") or found.get("LANG") or ""
    return "zh" if locale.startswith("zh") else "en"
