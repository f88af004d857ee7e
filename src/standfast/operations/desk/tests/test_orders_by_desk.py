"""What is done at the desk is an entry of the log; what may not be done is said, and what was typed is kept."""

TITLE, BODY = "Sends wait in CA1", "We look into it.\r\n\r\n- nothing is lost"


def test_an_incident_from_opening_to_the_postmortem(staffed):
    browser = staffed.enrol()
    browser.get("/incidents/open")
    refused = browser.post("/incidents/open", {"title": TITLE, "body": BODY, "stage": "investigating",
                                               "severity": "partial_outage"})  # fmt: skip
    assert refused.status == 422 and "choose at least one" in refused.text and TITLE in refused.text
    done = browser.post("/incidents/open", {"title": TITLE, "body": BODY, "stage": "investigating", "minutes": "15",
                                            "severity": "partial_outage", "square": "campaigns|ca1", "notify": "1"})  # fmt: skip
    assert done.url.endswith("/incidents") and TITLE in done.text
    incident = staffed.entries("incident_opened")[0]["incident"]
    assert staffed.entries("post")[0]["author"] == "alice" and staffed.entries("post")[0]["notify"] is True
    page = browser.get(f"/incidents/{incident}").text
    assert "Post an update" in page and "Veto this incident" not in page
    for stage in ("identified", "monitoring", "resolved"):
        browser.post(f"/incidents/{incident}", {"stage": stage, "body": f"Now {stage}.", "affected": ""})
    assert [post["status"] for post in staffed.entries("post")] == [
        "investigating",
        "identified",
        "monitoring",
        "resolved",
    ]
    assert staffed.entries("post")[1]["squares"] == [["campaigns", "ca1", "partial_outage"]]
    browser.post(f"/incidents/{incident}/postmortem", {"do": "redraft"})
    assert TITLE in staffed.entries("postmortem_drafted")[-1]["draft"]
    browser.post(f"/incidents/{incident}/postmortem", {"do": "publish", "text": "What we learnt\r\n", "notify": "1"})
    assert staffed.entries("postmortem_edited")[-1]["text"] == "What we learnt"
    assert staffed.entries("postmortem_published") and staffed.entries("post")[-1]["status"] == "postmortem"


def test_the_page_may_not_say_that_all_is_well_while_checks_are_down(staffed):
    staffed.fail()
    browser = staffed.enrol()
    assert "connect: refused" in browser.get("/").text
    page = browser.get("/incidents/2026-01-01-1").text
    assert "Still down: rest-api-ca1" in page
    refused = browser.post("/incidents/2026-01-01-1", {"stage": "resolved", "body": "All well <b>"})
    assert refused.status == 422 and "must not say otherwise" in refused.text and "All well &lt;b&gt;" in refused.text
    staffed.recover()
    assert browser.post("/incidents/2026-01-01-1", {"stage": "resolved", "body": "All well"}).status == 200
    assert staffed.entries("post")[-1]["status"] == "resolved"


def test_an_illegal_stage_is_neither_offered_nor_taken(staffed):
    staffed.fail()
    browser = staffed.enrol()
    page = browser.get("/incidents/2026-01-01-1").text
    assert ">postmortem</option>" not in page
    for stage in ("postmortem", "nonsense", ""):
        assert browser.post("/incidents/2026-01-01-1", {"stage": stage, "body": "x"}).status == 422
    assert len(staffed.entries("post")) == 1


def test_editing_and_vetoing(staffed):
    staffed.fail()
    browser = staffed.enrol()
    browser.get("/incidents/2026-01-01-1/edit/2026-01-01-1-1")
    browser.post("/incidents/2026-01-01-1/edit/2026-01-01-1-1", {"body": "Better words"})
    assert staffed.entries("post_edited") == [{"update": "2026-01-01-1-1", "body": "Better words", "author": "alice"}]
    assert "The reason is empty" in browser.post("/incidents/2026-01-01-1/veto", {"why": " "}).text
    browser.post("/incidents/2026-01-01-1/veto", {"why": "a drill"})
    assert staffed.entries("post_vetoed")[0]["why"] == "a drill"
    assert "Post an update" not in browser.get("/incidents/2026-01-01-1").text


def test_maintenance_is_in_the_page_s_time_zone(staffed):
    browser = staffed.enrol()
    browser.get("/maintenance")
    fields = {"title": "Disks", "body": "Sends wait.", "starts_at": "2031-07-01T22:00", "ends_at": "2031-07-01T21:00",
              "square": "campaigns|eu1"}  # fmt: skip
    assert "end after it begins" in browser.post("/maintenance", fields).text
    assert browser.post("/maintenance", {**fields, "ends_at": "nonsense"}).status == 422
    browser.post("/maintenance", {**fields, "ends_at": "2031-07-01T23:00"})
    found = staffed.entries("maintenance_scheduled")[0]
    assert found["starts_at"] == "2031-07-01T22:00:00-04:00" and found["squares"] == [["campaigns", "eu1"]]
    path = f"/maintenance/{found['maintenance']}"
    assert 'value="2031-07-01T22:00"' in browser.get(path).text
    browser.post(path, {**fields, "ends_at": "2031-07-01T23:30", "do": "change"})
    assert staffed.entries("maintenance_changed")[0]["ends_at"].startswith("2031-07-01T23:30")
    browser.post(path, {"do": "cancel"})
    assert staffed.entries("maintenance_cancelled")


def test_a_change_is_announced_and_drift_is_shown(staffed):
    staffed.log.append("drift_found", {"drift": "d", "provider": "one", "subject": "example.com. A", "what": "changed",
                                    "before": ["192.0.2.1"], "after": [], "change": None}, at=staffed.now)  # fmt: skip
    browser = staffed.enrol()
    page = browser.get("/changes").text
    assert "unannounced" in page and "192.0.2.1" in page
    browser.post("/changes", {"summary": "New address", "provider": "one"})
    assert staffed.entries("change_announced")[0]["by"] == "alice"
    assert "no provider" in browser.post("/changes", {"summary": "x", "provider": "nope"}).text


def test_a_failover_is_confirmed_before_it_is_ordered(staffed):
    browser = staffed.enrol()
    browser.get("/failover")
    asked = browser.post("/failover", {"pool": "root", "target": "standby", "why": "a drill"})
    assert "198.51.100.1" in asked.text and not staffed.entries("failover_ordered")
    browser.post("/failover", {"pool": "root", "target": "standby", "why": "a drill", "sure": "1"})
    assert staffed.entries("failover_ordered") == [
        {"pool": "root", "target": "standby", "why": "a drill", "by": "alice", "approved": False}
    ]
    assert "no such pool" in browser.post("/failover", {"pool": "x", "target": "standby"}).text


def test_a_log_that_cannot_be_written_is_said_and_nothing_is_lost(staffed):
    browser = staffed.enrol()
    browser.get("/changes")
    staffed.log.connection.execute("alter table entry rename to gone")
    answer = browser.post("/changes", {"summary": "x"})
    assert answer.status == 503 and "cannot be" in answer.text
    staffed.log.connection.execute("alter table gone rename to entry")
    assert browser.post("/changes", {"summary": "x"}).status == 200 and staffed.entries("change_announced")
