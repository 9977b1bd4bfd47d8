# SPDX-License-Identifier: BSD-3-Clause
"""A real browser at the log-in page, for portal_test.py: logs in, waits for a line, logs out.

python3 portal_chromium.py URL USER PASSWORD PROFILE_DIR
"""

import sys

from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait


def press(browser, title):
    """Presses the button of the page, and prints the title of the one that comes, which should be
    this one: that of the old page is there for a moment."""
    browser.find_element(By.TAG_NAME, "button").click()
    try:
        WebDriverWait(browser, 20).until(lambda page: page.title == title)
    except TimeoutException:
        pass  # the title tells
    print("title", browser.title, flush=True)


def main(url, user, password, profile):
    options = webdriver.ChromeOptions()
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 "--ignore-certificate-errors", "--disable-background-networking",
                 "--no-proxy-server", "--disable-features=OptimizationHints,AsyncDns",
                 "--user-data-dir=" + profile):
        options.add_argument(word)
    browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    try:
        browser.set_page_load_timeout(20)
        browser.get(url)
        print("title", browser.title, flush=True)
        browser.find_element(By.NAME, "user").send_keys(user)
        browser.find_element(By.NAME, "password").send_keys(password)
        press(browser, "Logged in")
        print("page", " ".join(browser.find_element(By.TAG_NAME, "main").text.split()), flush=True)
        sys.stdin.readline()
        press(browser, "Log in")
    finally:
        browser.quit()


if __name__ == "__main__":
    main(*sys.argv[1:5])
