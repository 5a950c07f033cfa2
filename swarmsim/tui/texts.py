"""What the app says, in English and in Simplified Chinese. Words of Docker's own stay as they are in both."""

from __future__ import annotations

from swarmsim.replay import texts

TEXTS: dict[str, tuple[str, str]] = {
    # panels
    "map": ("Cluster", "集群"),
    "tasks": ("Tasks", "任务"),
    "raft": ("Raft", "Raft 共识"),
    "story": ("Events", "事件"),
    "details": ("Details", "详情"),
    "services": ("Services", "服务"),
    "stacks": ("Stacks, networks, volumes", "栈、网络、卷"),
    "services short": ("Services", "服务"),
    "stacks short": ("Stacks", "栈"),
    "traffic": ("Traffic of the last 5 s", "最近 5 秒的流量"),
    "gossip": ("Gossip: who believes whom alive", "Gossip：谁认为谁存活"),
    "traffic short": ("Traffic", "流量"),
    "gossip short": ("Gossip", "Gossip"),
    "pki": ("Certificates and roots", "证书与根证书"),
    "pki short": ("Certificates", "证书"),
    "no pki": ("No certificates yet: a node gets its own when it joins a swarm.", "尚无证书：节点加入集群时获得证书。"),
    "root": ("root", "根证书"),
    "rotation": ("rotation", "轮换"),
    "expired": ("expired", "已过期"),
    "trusts": ("trusts {root}", "信任 {root}"),
    "no traffic": (
        "No requests yet. A scenario makes them with traffic:, for instance swarmsim watch node-dies-under-traffic; "
        "curl -s HOST:PORT asks once.",
        "尚无请求。场景中的 traffic: 产生请求，例如 swarmsim watch node-dies-under-traffic；curl -s HOST:PORT 请求一次。",
    ),
    "no gossip": (
        "No gossip in this run: write gossip: true under cluster: in the scenario, or traffic: among its steps.",
        "此运行没有 gossip：请在场景的 cluster: 下写 gossip: true，或在步骤中使用 traffic:。",
    ),
    "so far": ("so far", "累计"),
    "believed alive": ("alive", "存活"),
    "believed suspect": ("suspect", "可疑"),
    "believed dead": ("dead", "失联"),
    "believed left": ("left", "已离开"),
    "believed unknown": ("never heard of", "从未听说"),
    "believe all": ("{n} of {all} engines believe all others alive", "{n}/{all} 个引擎认为其他引擎全部存活"),
    "weight": ("weight {n}", "权重 {n}"),
    "not balanced": ("nothing new", "不再分配新连接"),
    "more": ("… {n} more", "……另有 {n} 个"),
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
    "forming short": ("the cluster is being built", "集群构建中"),
    "no swarm": ("no swarm yet", "尚无集群"),
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
    "mode": ("MODE", "模式"),
    "missing": ("MISSING", "缺少"),
    "stack": ("stack", "栈"),
    "network": ("network", "网络"),
    "volume": ("volume", "卷"),
    "ports": ("ports", "端口"),
    "networks": ("networks", "网络"),
    "volumes": ("volumes", "卷"),
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
    "slow": ("slow", "慢"),
    "loss": ("{share} % lost", "丢包 {share} %"),
    "closed port": ("{port} closed", "{port} 被封"),
    "mtu": ("packets up to {size} bytes", "最大 {size} 字节的包"),
    "mgr": ("mgr", "管理"),
    "wkr": ("wkr", "工作"),
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
    "key logs": ("Logs", "日志"),
    "key filter": ("Filter", "过滤"),
    "key sort": ("Sort", "排序"),
    "key follow": ("Follow", "跟随"),
    "key save": ("Save", "保存"),
    "key theme": ("Theme", "主题"),
    "key help": ("Help", "帮助"),
    "key quit": ("Quit", "退出"),
    # what keys do, and signs mean
    "about play": ("let time pass, stop it", "播放或暂停时间"),
    "about next": ("go to the next event; time passes until there is one", "跳到下一事件"),
    "about previous": ("go to the event before", "回到上一事件"),
    "about faster": ("faster, up to 10,000 times real time", "加速，最高一万倍"),
    "about slower": ("slower, down to a tenth", "减速，最低十分之一"),
    "about skip": ("play event by event: what lies between takes no time", "逐事件播放"),
    "about command": ("type docker commands", "输入 docker 命令"),
    "about power": ("power off the selected host, power it on", "切断或恢复所选主机的电源"),
    "about engine": ("kill the engine of the selected host, start it", "杀掉或启动所选主机的引擎"),
    "about cut": ("cut the selected host off from all others, put it back", "隔离或恢复所选主机的网络"),
    "about heal": ("undo every cut", "撤销所有网络隔离"),
    "about drain": ("drain the selected node, make it active", "排空或激活所选节点"),
    "about kill": ("kill the container of the selected task, or one on the selected host", "杀掉所选任务的容器，或所选主机上的一个容器"),
    "about branch": ("another future from this moment on, with another seed", "从此刻起以另一种子新建分支"),
    "about compare": ("two futures side by side", "并排对比两个分支"),
    "about history": ("old tasks too", "也显示旧任务"),
    "about only running": ("only tasks that run", "只显示运行中的任务"),
    "about filter": ("only tasks with these words in name, node, state or reason", "按名称、节点、状态或原因过滤任务"),
    "about logs": ("what the selected task, or service, has written (service logs)", "所选任务或服务的输出（service logs）"),
    "about sort": (
        "sort tasks by name, node, state, or what changed last; services by name, stack, what is missing, update",
        "按名称、节点、状态或变化时间排序任务；按名称、栈、缺少数或更新排序服务",
    ),
    "about follow": ("keep the slot selected, not the task", "跟随槽位而非任务"),
    "about save": ("save what was done as a scenario, and the trace", "将操作保存为场景，并保存轨迹"),
    "about theme": ("dark or light", "深色或浅色"),
    "about help": ("all keys and signs", "所有按键和符号"),
    "about quit": ("end", "结束"),
    "sign leader": ("leads the managers", "管理节点的领导者"),
    "sign power": ("no power: nobody is told", "断电：无人得知"),
    "sign cut": ("cut off", "网络隔离"),
    "sign unreachable": ("the leader cannot reach this manager; in the Raft panel: whom it cannot reach", "领导者无法联系该管理节点；在 Raft 面板中：它无法联系的节点"),
    "sign behind": ("entries of the log that are not committed yet; on a host: tasks there is no room for", "尚未提交的日志条目；在主机上：放不下的任务数"),
    "sign votes": ("in this election m2 voted for m1", "此次选举中 m2 投票给 m1"),
    "sign older": ("two older tasks of this slot are not shown (a shows them)", "该槽位有两个较旧的任务未显示（按 a 显示）"),
    "sign marks": ("on the time line: a fault, a new leader, an expectation that does not hold", "时间线上：故障、新领导者、未满足的预期"),
    # exercises
    "key desk": ("Exercise", "练习"),
    "about desk": ("the exercise: task, goals, questions, hints; checks the answers", "练习：任务、目标、问题、提示；检查答案"),
    "exercise status": ("{points}/{of} points, {left} left", "{points}/{of} 分，剩余 {left}"),
    "exercise points": ("{points} of {of} points", "{points}/{of} 分"),
    "exercise left": ("{left} left", "剩余 {left}"),
    "exercise worth": ("[{points}]", "[{points}]"),
    "exercise now": ("now", "现在"),
    "exercise trial": ("judged by many runs: save (Ctrl+S), then swarmsim check {name} FILE", "由多次运行评判：保存（Ctrl+S）后执行 swarmsim check {name} 文件"),
    "exercise allowed": ("You may use: {what}. c opens and closes this, Ctrl+S saves what you hand in.", "允许使用：{what}。c 打开或关闭此页，Ctrl+S 保存要上交的文件。"),
    "exercise hint": ("Hint", "提示"),
    "exercise check": ("Check", "检查"),
    "exercise number": ("a number {unit}", "数字 {unit}"),
    "exercise choose": ("choose", "请选择"),
    "exercise noted": ("noted", "已记录"),
    "exercise right": ("right", "正确"),
    "exercise wrong": ("wrong", "错误"),
    "exercise forbids": ("That is not allowed in this exercise; c shows what is.", "此练习不允许该操作；按 c 查看允许的操作。"),
    "exercise none": ("This is no exercise; swarmsim exercise list shows some.", "这不是练习；swarmsim exercise list 列出练习。"),
    "exercise over": ("The time of this exercise is up.", "练习时间已到。"),
    "exercise saved": ("saved, to hand in: {path}   judge it: {command}", "已保存，可上交：{path}   评判：{command}"),
    # questions and answers
    "sure quorum": (
        "{what}: after this only {left} of {all} managers are left, fewer than the majority of {majority}.\n"
        "Nobody can change anything until another one is back. Do it?",
        "{what}：此后仅剩 {left}/{all} 个管理节点，少于多数 {majority}。\n恢复之前无法进行任何变更。确定吗？",
    ),
    "yes": ("Yes", "是"),
    "no": ("No", "否"),
    "branch title": (
        "Another future from {t} on: with which seed of chance? (a number)",
        "从 {t} 开始新的分支：随机种子？（数字）",
    ),
    "branch made": ("future {name}: from {t} on with seed {seed}", "分支 {name}：从 {t} 起使用种子 {seed}"),
    "branch act": ("future {name}: from {t} on", "分支 {name}：从 {t} 起"),
    "no number": ("{text!r} is no number", "{text!r} 不是数字"),
    "record": (
        "This is a record: nothing can be done in it. Watch a scenario to do something.",
        "这是录像，无法操作。请打开一个场景。",
    ),
    "real only watched": (
        "This cluster is only watched: nothing is changed in it. In a lab (--on lab) you may.",
        "只观察该集群，不作任何更改。实验环境（--on lab）中可以操作。",
    ),
    "real no seed": ("Real hosts have no seed: chance is theirs.", "真实主机没有随机种子。"),
    "real past": (
        "What has been cannot be changed on real hosts: go to the present first (End).",
        "真实主机的过去无法更改：请先回到现在（End）。",
    ),
    "real no curl": ("On real hosts, ask published ports from a shell of your own.", "真实主机的端口请在自己的终端中访问。"),
    "select task": ("Select a task or a service first.", "请先选择任务或服务。"),
    "select host": ("Select a host on the map first.", "请先在地图上选择主机。"),
    "no container": ("Nothing runs there that could be killed.", "没有可以杀掉的容器。"),
    "forming": ("The cluster is still being built.", "集群仍在构建。"),
    "nothing more": (
        "Nothing more happens by itself within {hours} h.\nGo on to the next event, however far away it is?",
        "{hours} 小时内不会再自行发生任何事件。\n是否跳到下一个事件，无论多远？",
    ),
    "nothing ever": ("Nothing more happens by itself.", "不会再自行发生任何事件。"),
    "quit how": ("q quits.", "按 q 退出。"),
    # the prompt
    "shell nothing": ("Type a docker command; help tells more.", "请输入 docker 命令；help 查看帮助。"),
    "shell at": ("Commands are typed on {host} from now on; exit ends that.", "此后命令在 {host} 上执行；exit 结束。"),
    "shell host": ("@{host}: no such host; there are {hosts}", "@{host}：没有这台主机；现有 {hosts}"),
    "shell quotes": ("{problem}: the quotes do not match", "{problem}：引号不匹配"),
    "shell sign": (
        "{sign} is a shell's: here is one command at a time, with | grep, | head, | tail, | sort, | wc behind it",
        "{sign} 属于 shell：此处一次一条命令，其后可用 | grep、| head、| tail、| sort、| wc",
    ),
    "shell pipe": ("| {program}: not here; there are {known}", "| {program}：此处没有；可用 {known}"),
    "shell grep": ("| grep: for what?", "| grep：缺少要查找的内容"),
    "shell no jobs": ("No command is running.", "没有正在运行的命令。"),
    "shell interrupt": ("Ctrl+C", "Ctrl+C"),
    "shell every": ("every {seconds} s", "每 {seconds} 秒"),
    "shell over": ("stopped", "已停止"),
    "shell help": (
        "node ls            a docker command; docker and sudo may stand before it\n"
        "@m2 node ls        on that host; @m2 alone: from now on; exit ends that\n"
        "… | grep X         lines of it; also head, tail, sort, uniq, wc\n"
        "watch -n 5 …       again every 5 simulated seconds, until Ctrl+C\n"
        "Tab                completes, again: the next word\n"
        "Up Down Ctrl+R     lines typed before, and a search in them\n"
        "Ctrl+A E W U K     as in a shell\n"
        "Ctrl+C             interrupts the newest command; the next can be typed while one runs\n"
        "PgUp PgDn          scroll what was answered\n"
        "jobs history clear exit",
        "node ls            docker 命令；前面可加 docker、sudo\n"
        "@m2 node ls        在该主机上执行；单独的 @m2：此后都在其上；exit 结束\n"
        "… | grep X         筛选输出行；另有 head、tail、sort、uniq、wc\n"
        "watch -n 5 …       每 5 个模拟秒重复一次，直到 Ctrl+C\n"
        "Tab                补全，再按：下一个词\n"
        "Up Down Ctrl+R     之前输入的行，以及在其中搜索\n"
        "Ctrl+A E W U K     与 shell 相同\n"
        "Ctrl+C             中断最新的命令；命令运行时可输入下一条\n"
        "PgUp PgDn          滚动输出\n"
        "jobs history clear exit",
    ),
    "instead traffic": (
        "{program}: on a host it is curl that asks a published port: curl -s HOST:PORT. In a container: docker exec CONTAINER {program} …",
        "{program}：在主机上用 curl 访问已发布的端口：curl -s HOST:PORT。在容器内：docker exec CONTAINER {program} …",
    ),
    "instead engine": (
        "{program}: select the host on the map and press e: that kills its engine, and starts it again.",
        "{program}：在地图上选择主机并按 e：杀掉或重新启动其引擎。",
    ),
    "instead power": (
        "{program}: select the host on the map and press p: that cuts its power, and gives it back.",
        "{program}：在地图上选择主机并按 p：断电或恢复供电。",
    ),
    "instead network": (
        "{program}: select the host on the map and press x: that cuts it off from all others; h undoes it.",
        "{program}：在地图上选择主机并按 x：将其与其他主机隔离；h 恢复。",
    ),
    "instead files": (
        "{program}: there are no files here but those of the scenario (files: in it).",
        "{program}：此处除场景中的文件（files:）外没有其他文件。",
    ),
    "instead tool": ("{program}: docker alone is here; stack deploy reads compose files.", "{program}：此处只有 docker；stack deploy 可读取 compose 文件。"),
    "instead time": (
        "{program}: time is the line below: Space lets it pass, n shows the next event.",
        "{program}：时间见下方时间线：空格播放，n 跳到下一事件。",
    ),
    "saved": ("saved: {path}   run it: {command}", "已保存：{path}   运行：{command}"),
    "not saved": (
        "{place}: cannot be written: {problem}; start swarmsim where you may write",
        "{place}：无法写入：{problem}；请在可写的目录中启动 swarmsim",
    ),
    "save title": (
        "Save what was done, in {where}/: under which name?",
        "将操作保存到 {where}/：名称？",
    ),
    "no name": ("{text!r}: use lower-case letters, digits and '-'", "{text!r}：请使用小写字母、数字和 '-'"),
    "name taken": ("{name} is there already; choose another name", "{name} 已存在；请换一个名称"),
    "sure quit": (
        "What was done by hand is not saved (Ctrl+S saves it). Quit all the same?",
        "手动操作尚未保存（Ctrl+S 保存）。仍要退出吗？",
    ),
    "crash": ("The model broke, which is our mistake.\n\n{problem}\n\nThe trace until then: {path}", "模型出错了，这是我们的错误。\n\n{problem}\n\n已保存轨迹：{path}"),
    "too small": ("The terminal is {w}×{h}; this needs 60×18 at least.", "终端尺寸为 {w}×{h}，至少需要 60×18。"),
    "filter prompt": ("part of a name, node, state or reason", "名称、节点、状态或原因的一部分"),
    "docker prompt": ("docker command on {host} (@HOST: elsewhere; help)", "在 {host} 上执行 docker 命令（@主机：其他主机；help）"),
    "compare title": ("Futures", "分支对比"),
    "compare fork": ("the same until {t}, then:", "{t} 之前相同，之后："),
    "only one": ("There is one future only. Press b for another.", "只有一个分支。按 b 新建。"),
    "filtered": ("{n} of {all}", "{n}/{all}"),
    "close": ("Esc closes", "Esc 关闭"),
    # in a browser
    "visitor": ("visitor", "访客"),
    "web opening": ("The cluster is being built …", "正在构建集群……"),
    "web ended": ("The app has ended.", "应用已结束。"),
    "web again": ("Begin anew", "重新开始"),
    # words the help uses
    "help title": ("swarmsim watch: keys", "swarmsim watch：按键"),
    "help time": ("Time", "时间"),
    "help look": ("Looking", "查看"),
    "help do": ("Doing", "操作"),
    "help seek": ("[ ]  an event back, on      { }  ten seconds back, on      Home End  begin, now; click the time line", "[ ]  前/后一个事件    { }  前/后十秒    Home End  开头/现在；可点击时间线"),
    "help select": ("arrows select a host or a task, Enter shows it, Tab changes the panel, 1…9 0 show one", "方向键选择，Enter 查看，Tab 切换面板，1…9 0 显示面板"),
    "help undo": ("Undo is going back: what is done in the past makes another future.", "撤销即回退：在过去的操作会产生新的分支。"),
}  # fmt: skip


class Texts(texts.Texts):
    """The app's texts of one language.

    >>> Texts("zh")("tasks")
    '任务'
    >>> Texts("en")("no number", text="x")
    "'x' is no number"
    """

    def __init__(self, language: str) -> None:
        super().__init__(language, TEXTS)
