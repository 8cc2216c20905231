"""The client against the real API: batches, patience, and runs that are neither lost nor evaluated twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.client import ApiError, Client, RefusedError
from service.schemas import SubmissionIn
from tests.integration.live import Live, Network, live_service
from tests.integration.stored import PACKAGE

BATCH = 5


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_service(tmp_path) as running:
        yield running


@pytest.fixture
def network(live: Live) -> Iterator[Network]:
    with Network(live.base_url) as proxy:
        yield proxy


class Pauses(list[float]):
    """Remembers how long it was asked to wait, and does not wait."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def submission(number: int, tag: str = "t", text: str = "right", key: str = "") -> SubmissionIn:
    fields = {
        "id": f"mine-{number}",
        "task_id": "numbers/double",
        "solution": f"# {text} {number}",
        "tag": tag,
        "idempotency_key": key,
    }
    return SubmissionIn.model_validate(fields)


def ready(base_url: str, live: Live, **options: object) -> Client:
    client = Client(base_url, live.token("author", "submitter"), batch_size=BATCH, **options)  # type: ignore[arg-type]
    client.put_task(PACKAGE)
    return client


def test_a_task_is_stored_once_per_version(live: Live) -> None:
    with Client(live.base_url, live.token("author")) as client:
        first, again = client.put_task(PACKAGE), client.put_task(PACKAGE)
        assert (first.created, again.created) == (True, False)
        assert client.task("numbers/double").version == first.version


def test_one_submission_and_its_run(live: Live) -> None:
    with ready(live.base_url, live) as client:
        accepted = client.submit(submission(1))
        run = client.run(accepted.run_id, wait_seconds=60)
        assert (run.state, run.outcome, run.id) == ("done", "passed", "mine-1")


def test_the_cases_of_a_run_for_those_who_may_see_them(live: Live) -> None:
    with ready(live.base_url, live) as client:
        run = client.run(client.submit(submission(1, text="wrong")).run_id, wait_seconds=60)
        told = [(case.case, case.given, case.wanted) for case in client.cases(run.run_id)]
    assert told == [("big[987654]", "double(987654)", "1975308")]
    submitter = Client(live.base_url, live.token("submitter"))
    with submitter, pytest.raises(ApiError, match="admin, author, reviewer"):
        list(submitter.cases(run.run_id))


def test_answers_come_in_the_order_of_the_submissions_over_several_batches(live: Live) -> None:
    count = BATCH * 2 + 3
    with ready(live.base_url, live) as client:
        accepted = list(client.submit_many(submission(number) for number in range(count)))
        assert [each.id for each in accepted] == [f"mine-{number}" for number in range(count)]
        run_ids = {each.run_id for each in accepted}
        assert len(run_ids) == count
        assert {run.run_id for run in client.iter_runs("t", run_ids=run_ids)} == run_ids


def test_many_with_few_under_way_each_once(live: Live) -> None:
    count = BATCH * 3
    with ready(live.base_url, live) as client:
        client.submit(submission(0, tag="another"))
        runs = list(client.run_many((submission(number) for number in range(count)), tag="t", in_flight=BATCH))
    assert sorted(run.id for run in runs) == sorted(f"mine-{number}" for number in range(count))


def test_no_more_are_handed_in_than_may_be_under_way(live: Live, network: Network) -> None:
    live.evaluation.held.clear()
    handed_in: list[int] = []

    def numbered() -> Iterator[SubmissionIn]:
        for number in range(BATCH * 3):
            handed_in.append(number)
            yield submission(number)

    def let_go_after_a_while(seconds: float) -> None:
        if len(network.seen) > 10:
            live.evaluation.held.set()
        else:
            assert len(handed_in) <= BATCH * 2

    with ready(network.base_url, live, pause=let_go_after_a_while) as client:
        runs = list(client.run_many(numbered(), tag="t", in_flight=BATCH * 2))
    assert len(runs) == BATCH * 3


def test_a_key_finds_the_run_of_another_time_even_if_it_finished_long_ago(live: Live) -> None:
    with ready(live.base_url, live) as client:
        count = BATCH + 1
        keyed = [submission(number, key=f"key-{number}") for number in range(count)]
        first = {run.run_id for run in client.run_many(keyed, tag="t")}
        # The cursor has passed the last one's run before its batch is handed in.
        assert {run.run_id for run in client.run_many(keyed, tag="t", in_flight=1)} == first


@pytest.mark.parametrize("trouble", ["busy", "crowded", "broken", "lost"])
def test_trouble_costs_time_and_no_run(live: Live, network: Network, trouble: str) -> None:
    pauses = Pauses()
    with ready(network.base_url, live, pause=pauses) as client:
        network.troubles = [trouble, "", trouble, trouble]
        keyed = [submission(number, key=f"key-{number}") for number in range(BATCH + 5)]
        runs = list(client.run_many(keyed, tag="t"))
    assert sorted(run.id for run in runs) == sorted(each.id for each in keyed)
    assert network.seen.count(trouble) == 3
    assert len(live.storage.runs.finished(tag="t", limit=500)[0]) == len(keyed)
    assert pauses


def test_the_servers_word_on_when_to_come_back_is_kept(live: Live, network: Network) -> None:
    pauses = Pauses()
    with ready(network.base_url, live, pause=pauses) as client:
        network.troubles = ["busy", "broken", "broken"]
        client.task("numbers/double")
    assert pauses[0] == 7.0
    assert pauses[1:] == sorted(pauses[1:])


def test_patience_ends(live: Live, network: Network) -> None:
    pauses = Pauses()
    with ready(network.base_url, live, pause=pauses, patience_seconds=20) as client:
        network.troubles = ["busy"] * 50
        with pytest.raises(ApiError, match="503") as caught:
            client.task("numbers/double")
    assert caught.value.status == 503
    assert sum(pauses) <= 20


def test_an_address_where_nobody_listens_is_told_soon(network: Network) -> None:
    pauses = Pauses()
    with Client("http://127.0.0.1:9", "token", pause=pauses) as client, pytest.raises(ApiError, match="cannot reach"):
        client.task("any")
    assert sum(pauses) <= 5


def test_a_refusal_names_field_and_submission(live: Live) -> None:
    with ready(live.base_url, live) as client:
        good = [submission(number) for number in range(BATCH + 2)]
        bad = SubmissionIn.model_validate({"task_id": "numbers/double", "files": {"../solution.py": "x"}})
        with pytest.raises(RefusedError, match=r"files\.\.\./solution\.py: a relative path") as caught:
            list(client.submit_many([*good, bad]))
        assert caught.value.index == len(good)
        assert 400 <= caught.value.status < 500


def test_what_the_token_may_not_do_is_told(live: Live) -> None:
    with Client(live.base_url, live.token("submitter")) as client, pytest.raises(ApiError, match="author") as caught:
        client.put_task(PACKAGE)
    assert caught.value.status == 403
    with Client(live.base_url, "wrong") as client, pytest.raises(ApiError) as caught:
        client.put_task(PACKAGE)
    assert caught.value.status == 401


def test_an_export_of_nothing_and_of_an_unknown_format(live: Live) -> None:
    with Client(live.base_url, live.token("admin")) as client:
        assert list(client.export("kto")) == []
        with pytest.raises(ApiError, match="preference"):
            list(client.export("parquet"))


@pytest.mark.parametrize("address", ["localhost:8000", "ftp://127.0.0.1", "127.0.0.1", "http://"])
def test_what_is_no_address_is_said_before_any_request(address: str) -> None:
    with pytest.raises(ApiError, match="is not an address"):
        Client(address, "token")


def test_another_program_at_that_address_is_found_out(live: Live) -> None:
    # The page for people answers 200 with HTML, as any other web server would.
    with Client(f"{live.base_url}/healthz?", "token") as client, pytest.raises(ApiError):
        client.task("any")
