"""The pages for people, in a real browser that can reach nothing but the bridge."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

import otlp
import programs
from bridge import Bridge

WAIT_SECONDS = 20
LOCAL = {"127.0.0.1", "localhost"}


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    """A headless Chromium with a profile of its own, which logs every request."""
    chromium, driver = programs.need("chromium"), programs.need("chromedriver")
    options = ChromeOptions()
    options.binary_location = chromium
    for flag in (
        *("headless", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking"),
        *("disable-component-update", "disable-sync", "disable-dev-shm-usage", "window-size=1300,1800"),
        # A page that wants something from elsewhere does not get it, whatever this machine can reach.
        "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        f"user-data-dir={tmp_path / 'profile'}",
    ):
        options.add_argument(f"--{flag}")
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    # With both programs named, Selenium looks for none, neither here nor elsewhere.
    browser = Chrome(options=options, service=Service(driver, env=programs.clean_environment()))
    try:
        browser.set_page_load_timeout(WAIT_SECONDS)
        # What the browser shows of itself before the first page is not ours.
        browser.get("about:blank")
        requested(browser)
        yield browser
    finally:
        browser.quit()


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("SCREENSHOT_DIR") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def wait(browser: Chrome, selector: str) -> Any:
    """The element of a CSS selector, once it is seen."""

    def shown(_: Chrome) -> Any:
        return next((found for found in browser.find_elements(By.CSS_SELECTOR, selector) if found.is_displayed()), None)

    return WebDriverWait(browser, WAIT_SECONDS).until(shown, selector)


def requested(browser: Chrome) -> list[str]:
    """Every URL that a page asked for since the last time this was called, the ones that failed included."""
    urls: list[str] = []
    for entry in browser.get_log("performance"):
        event = json.loads(entry["message"])["message"]
        if event["method"] == "Network.requestWillBeSent":
            urls.append(event["params"]["request"]["url"])
    return urls


def assert_only_local(urls: list[str]) -> None:
    assert urls
    foreign = [
        url for url in urls if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).hostname not in LOCAL
    ]
    assert not foreign


def assert_no_errors(browser: Chrome) -> None:
    """Nothing failed to load or to run. A page need not have an icon."""
    errors = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert not [entry for entry in errors if "favicon" not in entry["message"]], errors


def operations(browser: Chrome) -> set[tuple[str, str]]:
    """Method and path of each operation on the page. Paths have invisible places to break the line in."""
    found = set()
    for block in browser.find_elements(By.CSS_SELECTOR, ".opblock"):
        verb = block.find_element(By.CSS_SELECTOR, ".opblock-summary-method").text
        path = block.find_element(By.CSS_SELECTOR, ".opblock-summary-path").get_attribute("data-path")
        found.add((verb.lower(), path or ""))
    return found


def test_swagger_ui_lists_the_operations_and_executes_one(bridge: Bridge, browser: Chrome, screenshots: Path) -> None:
    document = bridge.get("/openapi.json").json()
    expected = {(verb, path) for path, item in document["paths"].items() for verb in item}
    assert ("get", "/api/v1/status") in expected

    browser.get(bridge.url("/docs"))
    wait(browser, ".opblock")
    assert operations(browser) == expected

    operation = '.opblock:has([data-path="/api/v1/status"])'
    wait(browser, f"{operation} .opblock-summary-control").click()
    wait(browser, f"{operation} .try-out__btn").click()
    wait(browser, f"{operation} .execute").click()
    # The row of the table that came from the server, not those of the documentation.
    answer = wait(browser, f"{operation} .live-responses-table .response")
    browser.save_screenshot(str(screenshots / "docs.png"))
    assert answer.find_element(By.CSS_SELECTOR, ".response-col_status").text.split()[0] == "200"
    body = answer.find_element(By.CSS_SELECTOR, ".response-col_description code").text
    assert json.loads(body)["ready"] is True

    urls = requested(browser)
    assert bridge.url("/api/v1/status") in urls
    assert_only_local(urls)
    assert_no_errors(browser)


def test_the_first_page_shows_what_arrives_and_leads_on(bridge: Bridge, browser: Chrome, screenshots: Path) -> None:
    otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.gauge("g", 1), service="<b>shop</b>", instance="till-1"))
    browser.get(bridge.url("/"))
    text = wait(browser, "body").text
    browser.save_screenshot(str(screenshots / "start.png"))
    assert "Meterbridge" in browser.title
    for word in (bridge.addresses["otlp_http"], bridge.addresses["otlp_grpc"], "<b>shop</b>", "till-1"):
        assert word in text
    links = [link.get_attribute("href") for link in browser.find_elements(By.TAG_NAME, "a")]
    assert {bridge.url("/docs"), bridge.url("/metrics")} <= set(links)
    local = [link for link in links if link and urlsplit(link).hostname in LOCAL]
    for link in local:
        assert bridge.get(urlsplit(link).path).status_code == 200, link
    assert_only_local(requested(browser))
    assert_no_errors(browser)
