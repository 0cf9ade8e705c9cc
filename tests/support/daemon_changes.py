"""Changes to the practice directory, made as an administrator's program would."""

import requests


def create_user(practice, name: str) -> str:
    domain = practice.get("/users?$top=1").json()["value"][0]["userPrincipalName"].partition("@")[2]
    answer = write(practice, "POST", "/users", {
        "accountEnabled": True, "displayName": name, "mailNickname": name, "userPrincipalName": f"{name}@{domain}",
        "passwordProfile": {"password": "Xy7!aaaabbbb", "forceChangePasswordNextSignIn": True}})  # fmt: skip
    return answer.json()["id"]


def write(practice, method: str, path: str, body=None) -> requests.Response:
    headers = {"Authorization": f"Bearer {practice.token()}"}
    answer = practice.session.request(method, practice.facts["graph_endpoint"] + path, json=body, headers=headers)
    assert answer.ok, answer.text
    return answer
