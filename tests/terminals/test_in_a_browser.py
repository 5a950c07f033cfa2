"""In a real browser: the app takes keys, the report can be searched."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from swarmsim import Scenario
from swarmsim.report import write_report

selenium = pytest.importorskip("selenium.webdriver")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER), reason="no chromium and chromedriver (apt-get install chromium-driver)"
    ),
]
QUIET = "no-sandbox disable-gpu disable-quic no-first-run disable-background-networking disable-component-update disable-sync"


@pytest.fixture
def browser(tmp_path) -> Iterator:
    from selenium.webdriver.chrome.service import Service

    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("headless=new", f"user-data-dir={tmp_path / 'profile'}", "window-size=1300,900", *QUIET.split()):
        options.add_argument(f"--{flag}")
    driver = selenium.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


def until(condition: Callable[[], object], what: str, tries: int = 900) -> None:
    """A browser has a clock of its own: it is asked again and again, in real time."""
    for _ in range(tries):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(what)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_app_is_served_and_takes_keys_as_soon_as_it_opens(browser, tmp_path):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    port = free_port()
    command = [sys.executable, "-m", "swarmsim", "watch", "--web", "--port", str(port), "--speed", "5"]
    environment = {**os.environ, "LANG": "C.UTF-8"}
    server = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, env=environment, start_new_session=True)
    try:
        until(lambda: listens(port), "the server does not listen")
        for visitor in (1, 2):
            browser.switch_to.new_window("tab")
            browser.get(f"http://127.0.0.1:{port}")
            until(lambda: browser.find_elements("css selector", "body.-first-byte .xterm-screen"), "no terminal")

            def pressed(visitor: int = visitor) -> bool:
                # As a person does, who sees what one key did before the next, but without a click. Escape leaves a dialog of the try before.
                keys = ActionChains(browser).send_keys(Keys.ESCAPE).pause(0.3).send_keys(Keys.RIGHT, "p").pause(0.5)
                keys.key_down(Keys.CONTROL).send_keys("s").key_up(Keys.CONTROL).pause(0.7)
                keys.send_keys(Keys.ENTER).pause(0.3).send_keys(" ").perform()  # the name proposed; go on
                saved = (tmp_path / "runs" / f"visitor-{visitor}").glob("playground-watched*.yaml")
                return any("power-off" in path.read_text("utf-8") for path in saved)

            until(pressed, "the keys did not arrive", tries=40)
        picture = Path(os.environ.get("SCREENSHOTS", tmp_path)) / "web.png"
        assert browser.save_screenshot(str(picture))
        assert picture.stat().st_size > 20_000  # an empty terminal is smaller
        fetched = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
        assert any("RobotoMono" in address for address in fetched)
        assert all(address.startswith(f"http://127.0.0.1:{port}/") for address in fetched)
        assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    finally:
        os.killpg(server.pid, signal.SIGKILL)  # and the apps it serves, processes of their own
        server.wait(10)


def test_the_report_has_its_pictures_and_can_be_searched_and_zoomed(browser, tmp_path):
    from selenium.webdriver.common.action_chains import ActionChains

    trace = Scenario.load("quorum-loss").run(seed=1)
    write_report(trace, Path("quorum-loss-1.jsonl"), tmp_path / "report.html")
    browser.get((tmp_path / "report.html").as_uri())
    pictures = browser.find_elements("css selector", "figure svg")
    assert [figure.size["height"] > 100 for figure in pictures] == [True] * 4
    find = browser.find_element("id", "find")
    rows = browser.find_elements("css selector", "#timeline tr")

    def shown() -> list[str]:
        return [row.text for row in rows if row.is_displayed()]

    everything = shown()
    assert not any("registers with" in row for row in everything)
    find.send_keys("web.3 RUNNING")
    found = shown()
    assert found
    assert len(found) < len(everything)
    assert all("web.3" in row.lower() and "running" in row.lower() for row in found)
    assert browser.find_element("id", "count").text == f"{len(found)} / {len(rows)}"
    find.clear()
    find.send_keys(" ")
    browser.find_element("css selector", "input[data-group='sessions']").click()
    assert any("registers with" in row for row in shown())
    browser.find_element("css selector", "input[data-group='faults']").click()
    assert not any("!!" in row for row in shown())
    browser.find_element("css selector", "input[data-group='faults']").click()

    strip = browser.find_element("id", "strip")
    ActionChains(browser).drag_and_drop_by_offset(strip, strip.size["width"] // 4, 0).perform()  # the third quarter
    low, high = 0.5 * trace.duration, 0.75 * trace.duration
    times = [float(row.get_attribute("data-t")) for row in rows if row.is_displayed()]
    assert times
    assert all(low - 2 <= t <= high + 2 for t in times)
    ActionChains(browser).double_click(strip).perform()
    assert any("power on m2" in row for row in shown())
    picture = Path(os.environ.get("SCREENSHOTS", tmp_path)) / "report.png"
    assert browser.save_screenshot(str(picture))
    printed = base64.b64decode(browser.print_page())
    (Path(os.environ.get("SCREENSHOTS", tmp_path)) / "report.pdf").write_bytes(printed)
    assert 3 <= printed.count(b"/Type /Page\n") <= 12
    assert browser.get_log("browser") == []  # it asked for nothing, and nothing went wrong
