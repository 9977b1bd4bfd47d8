# SPDX-License-Identifier: BSD-3-Clause
"""A real browser, for the tests of the HTTP proxy: opens a page and prints its title, once its
script has set it, and its text.

python3 http_chromium.py URL PROFILE_DIR [PROXY]
"""

import sys

from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait


def main(url, profile, proxy=None):
    options = webdriver.ChromeOptions()
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 "--disable-background-networking", "--disable-features=OptimizationHints,AsyncDns",
                 "--proxy-server=" + proxy if proxy else "--no-proxy-server",
                 "--user-data-dir=" + profile):
        options.add_argument(word)
    browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    try:
        browser.set_page_load_timeout(20)
        browser.get(url)
        try:
            WebDriverWait(browser, 10).until(lambda page: page.title.startswith("seen"))
        except TimeoutException:
            pass  # the title tells
        print("title", browser.title)
        print("text", browser.find_element(By.TAG_NAME, "body").text)
    finally:
        browser.quit()


if __name__ == "__main__":
    main(*sys.argv[1:])
