import pytest

from scripts.lib.client import Client
from scripts.lib.page import WAYS, chromium, open_page


@pytest.fixture(scope="module")  # not longer: while it is open, this thread cannot run another event loop
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(params=WAYS)
def page(request, browser, server):
    """The page with each of its two ways to draw nodes; `page.name` says which."""
    with Client(server.address) as client:
        client.forget_history()  # a prompt with NaN, which other tests send, is no JSON that a page can read
    with open_page(browser, server.address, request.param, pack=server.pack) as page:
        yield page
