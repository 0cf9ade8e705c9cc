"""Named answers to the exercises of chapter 02: what it is -> the answer, and for a mistake words its hint contains."""

BODY = """def consent_body(app, principal, microsoft_graph, role):
    return {{
        "principalId": {principal},
        "resourceId": {resource},
        "appRoleId": {role},
    }}
"""


def body(principal='principal["id"]', resource='microsoft_graph["id"]', role='role["id"]'):
    return BODY.format(principal=principal, resource=resource, role=role)


IDS = """def sorted_ids(app, principal):
    return {{
        "client_id in the settings": {client_id},
        "address of the registration": "/applications/" + {address},
        "principalId for consent": {consent},
        "oid in the daemon's token": {oid},
    }}
"""


def ids(client_id='app["appId"]', address='app["id"]', consent='principal["id"]', oid='principal["id"]'):
    return IDS.format(client_id=client_id, address=address, consent=consent, oid=oid)


MISSING = """def what_is_missing(app, principal, assignments, thumbprint, role_id):
    missing = []
    if {certificate}:
        missing.append("certificate")
    if {principal}:
        missing.append("service principal")
    if {consent}:
        missing.append("consent")
    return missing
"""


def missing(
    certificate='thumbprint not in [one["customKeyIdentifier"] for one in app["keyCredentials"]]',
    principal="principal is None",
    consent='role_id not in [one["appRoleId"] for one in assignments]',
):
    return MISSING.format(certificate=certificate, principal=principal, consent=consent)


RIGHT = {
    "02-grants": {
        "calculated": "granting_request = 1 + 2\n",
        "of numpy": "import numpy\n\ngranting_request = numpy.int64(3)\n",
        "a float": "granting_request = 3.0\n",
    },
    "02-body": {
        "dict with keywords": (
            "def consent_body(app, principal, microsoft_graph, role):\n"
            '    ids = (one["id"] for one in (principal, microsoft_graph, role))\n'
            "    return dict(zip(['principalId', 'resourceId', 'appRoleId'], ids))\n"
        ),
        "filled step by step": (
            "def consent_body(app, principal, microsoft_graph, role):\n"
            "    body = {}\n"
            '    body["appRoleId"] = role.get("id")\n'
            '    body["resourceId"] = microsoft_graph.get("id")\n'
            '    body["principalId"] = principal.get("id")\n'
            "    return body\n"
        ),
        "the role looked up": body(
            role='next(one["id"] for one in microsoft_graph["appRoles"] if one["value"] == "User.Read.All")'
        ),
    },
    "02-ids": {
        "the client id from the service principal": ids(client_id='principal["appId"]'),
        "get": ids(client_id='app.get("appId")', address='app.get("id")', oid='principal.get("id")'),
        "the registration by its client id": ids().replace(
            '"/applications/" + app["id"]', "f\"/applications(appId='{app['appId']}')\""
        ),
        "an f-string": ids().replace('"/applications/" + app["id"]', "f\"/applications/{app['id']}\""),
    },
    "02-missing": {
        "any and all": missing(
            certificate='not any(one["customKeyIdentifier"] == thumbprint for one in app["keyCredentials"])',
            principal="not principal",
            consent='all(one["appRoleId"] != role_id for one in assignments)',
        ),
        "a generator": missing()
        .replace("    missing = []\n", "")
        .replace("missing.append(", "yield (")
        .replace("    return missing\n", ""),
        "a tuple from a table": (
            "def what_is_missing(app, principal, assignments, thumbprint, role_id):\n"
            "    there = {\n"
            '        "certificate": thumbprint in {one["customKeyIdentifier"] for one in app["keyCredentials"]},\n'
            '        "service principal": principal is not None,\n'
            '        "consent": role_id in {one["appRoleId"] for one in assignments},\n'
            "    }\n"
            "    return tuple(name for name, found in there.items() if not found)\n"
        ),
        "pandas": (
            "def what_is_missing(app, principal, assignments, thumbprint, role_id):\n"
            "    import pandas\n\n"
            '    keys = pandas.DataFrame(app["keyCredentials"], columns=["customKeyIdentifier"])\n'
            '    roles = pandas.DataFrame(assignments, columns=["appRoleId"])\n'
            "    lacking = pandas.Series({\n"
            '        "certificate": not (keys["customKeyIdentifier"] == thumbprint).any(),\n'
            '        "service principal": principal is None,\n'
            '        "consent": not (roles["appRoleId"] == role_id).any(),\n'
            "    })\n"
            "    return lacking.index[lacking]\n"
        ),
    },
}

MISTAKES = {
    "02-grants": {
        "the wish list": ("granting_request = 1\n", "the roles in the next token are None"),
        "a second service principal": ("granting_request = 2\n", "Graph answers it with 409"),
        "a delegated permission": ("granting_request = 4\n", "somebody has to be signed in"),
        "not one of the four": ("granting_request = 5\n", "one of the numbers"),
        "a text": ('granting_request = "POST"\n', "one of the numbers"),
    },
    "02-body": {
        "the client id as principal": (body(principal='app["appId"]'), "principalId was right as it was given"),
        "the app's own service principal": (body(resource='principal["id"]'), "Microsoft Graph's service principal"),
        "the address of Graph": (body(resource='"https://graph.microsoft.com"'), "Microsoft Graph's service principal"),
        "the role by its name": (body(role='role["value"]'), "appRoleId was right as it was given"),
        "one entry left out": (body().replace('        "appRoleId": role["id"],\n', ""), "the body has no appRoleId"),
        "a text": (
            "def consent_body(app, principal, microsoft_graph, role):\n"
            "    import json\n\n"
            '    return json.dumps({"principalId": principal["id"], "resourceId": microsoft_graph["id"]})\n',
            "gives a str, expected a dictionary",
        ),
    },
    "02-ids": {
        "the object id in the settings": (ids(client_id='app["id"]'), "the application's object id, and Entra ID"),
        "the service principal's id in the settings": (
            ids(client_id='principal["id"]'),
            "the service principal's object id, and Entra ID",
        ),
        "the client id in the address": (ids(address='app["appId"]'), "404 Request_ResourceNotFound"),
        "the client id as principal": (ids(consent='app["appId"]'), "this is the client id, and Graph answers 400"),
        "the application as principal": (
            ids(consent='app["id"]'),
            "this is the application's object id, and Graph answers 400",
        ),
        "the application in the token": (ids(oid='app["id"]'), "presence in this tenant"),
        "one gap left": (ids(oid="..."), "there is still a ..."),
        "a name changed": (ids().replace("oid in", "oid of"), "keep the four names"),
    },
    "02-missing": {
        "the wish list taken for consent": (
            missing(
                consent='role_id not in [a["id"] for w in app.get("requiredResourceAccess", []) '
                'for a in w["resourceAccess"]]'
            ),
            "on the wish list only",
        ),
        "any certificate will do": (missing(certificate='not app["keyCredentials"]'), "and it is not yours"),
        "any assignment will do": (missing(consent="not assignments"), "another one than the daemon needs"),
        "the first certificate only": (
            missing(
                certificate='not app["keyCredentials"] or app["keyCredentials"][0]["customKeyIdentifier"] != thumbprint'
            ),
            "need not be the first",
        ),
        "the first assignment only": (
            missing(consent='not assignments or assignments[0]["appRoleId"] != role_id'),
            "need not be the first",
        ),
        "the example and nothing else": (
            "def what_is_missing(app, principal, assignments, thumbprint, role_id):\n"
            '    return ["certificate", "service principal", "consent"]\n',
            "nothing is missing",
        ),
        "only the first that is missing": (
            missing().replace("    if principal", "    elif principal").replace("    if role_id", "    elif role_id"),
            "a new application has none of the three",
        ),
        "consent only asked for with a service principal": (
            missing(consent='principal and role_id not in [one["appRoleId"] for one in assignments]'),
            "a new application has none of the three",
        ),
        "in the order of the alphabet": (
            missing().replace("return missing", "return sorted(missing)"),
            "the order is the one in the task",
        ),
        "None when nothing is missing": (
            missing().replace("return missing", "return missing or None"),
            "gives back None",
        ),
    },
}
