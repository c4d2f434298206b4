"""Python requests: one session, pages in turn. Prints how many customers failed."""
# SPDX-License-Identifier: MIT
import os

import requests

env = os.environ
session = requests.Session()
session.trust_env = False  # looks for no proxies and no .netrc at each request
session.verify = env["AVEPOINT_CA_FILE"]
reply = session.post(env["AVEPOINT_TOKEN_URL"], data={
    "grant_type": "client_credentials",
    "scope": "elements.customers.read.all",
    "client_id": env["AVEPOINT_CLIENT_ID"],
    "client_secret": env["AVEPOINT_CLIENT_SECRET"],
})
reply.raise_for_status()
session.headers["Authorization"] = "Bearer " + reply.json()["access_token"]

url = env["AVEPOINT_BASE_URL"] + "/partner/external/v3/general/customers"
failed, page, total = 0, 1, 1
while (page - 1) * 100 < total:
    reply = session.get(url, params={"pageIndex": page, "pageSize": 100})
    reply.raise_for_status()
    answer = reply.json()
    failed += sum(customer["jobStatus"] == "Failed" for customer in answer["data"])
    total = answer["metadata"]["totalCount"]
    page += 1
print(failed)
