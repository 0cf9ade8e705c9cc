"""The checkers, one module for each chapter, loaded when one of its exercises is first checked.

A checker has the learner's name as its first parameter and gives back a verdict. One of each kind:

    @exercise("00-flow")  # choose or predict. The cell: flow = ...
    def chosen_flow(flow: str, ask: Ask) -> Verdict:
        reasons = {"authorization code": "there somebody signs in, and a daemon runs while everybody sleeps."}
        otherwise = "choose one of client credentials, authorization code, device code."
        wrong = chosen(flow, "client credentials", reasons=reasons, otherwise=otherwise)
        return wrong or right("the app proves itself, and nobody has to be there.")


    PAGES = '''def all_rows(pages):
        rows = []
        for page in pages:
            rows = page["value"]
        return rows'''

    @exercise("06-pages", given=PAGES)  # repair one line. The cell: PAGES, word for word
    def pages(all_rows: Callable[[list[Page]], list[User]], ask: Ask) -> Verdict:
        two = [{"value": [{"id": "a"}]}, {"value": [{"id": "b"}]}]
        hint = "append() adds a page as one entry, extend() adds its users."
        mistakes = {hint: lambda pages: [page["value"] for page in pages]}
        reason = "the users of every page, in order."
        wrong = gives(all_rows, two, expected=[{"id": "a"}, {"id": "b"}], reason=reason, mistakes=mistakes)
        return wrong or right()


    @exercise("04-gap", given=GAP)  # fill in a gap. The cell: GAP, code with ... in some places
    @exercise("04-roles")  # write a function. The cell: def missing_roles(claims, needed): ...
    def roles(missing_roles: Callable[[Claims, list[str]], list[str]], ask: Ask) -> Verdict:
        return (
            gives(missing_roles, {"idtyp": "app"}, ["Mail.Read"], expected=["Mail.Read"], reason="no claim roles.")
            or raises(missing_roles, {}, None, error=TypeError, reason="needed is a list.")
            or right()
        )

The answers that each checker must tell apart are in tests/chapters/mistakes/chapter_NN.py; tests/support/exercises.py
says how they are written. The words `gives`, `raises`, `of_type` and `chosen` are in marking.py. What a wrong answer
causes in Entra ID or Graph is asked with `ask`, a practice tenant of the checks' own.
"""
