import statistics

from hypothesis import given
from hypothesis import strategies as st

from harness.model.simulated import SIMULATED_MODELS
from harness.provider.generation import FirstTokens, generate

MODEL = SIMULATED_MODELS["sim-small"]


def answer(prompt=b"hello", *, seed=1, model="sim-small", max_tokens=None):
    return generate(seed=seed, model=model, prompt=prompt, max_tokens=max_tokens)


def test_the_same_request_has_the_same_answer():
    assert answer() == answer()


def test_seed_model_and_prompt_each_change_the_answer():
    assert len({answer(), answer(seed=2), answer(model="sim-large"), answer(b"hello!")}) == 4


@given(st.binary(max_size=50), st.integers(1, 500), st.integers(0, 2**31))
def test_max_tokens_cuts_the_same_answer_and_says_so(prompt, max_tokens, seed):
    free = answer(prompt, seed=seed)
    held = answer(prompt, seed=seed, max_tokens=max_tokens)
    assert 5 <= len(free.words) <= 400
    assert held.words == free.words[:max_tokens]
    assert held.cut is (len(free.words) > max_tokens)
    assert not free.cut


def test_answers_are_lognormal_around_sixty_tokens():
    lengths = sorted(len(answer(str(number).encode()).words) for number in range(4_000))
    assert 57 <= statistics.median(lengths) <= 63
    assert 140 <= lengths[3_800] <= 185  # exp(ln 60 + 1.645 x 0.6) = 161


def test_a_full_answer_is_within_three_seconds_for_19_of_20():
    first = FirstTokens(1)
    whole_s = []
    for number in range(2_000):
        prompt = str(number).encode()
        wait_ns = first.wait_ns(endpoint="primary", model=MODEL, prompt=prompt)
        whole_s.append(wait_ns / 1e9 + len(answer(prompt).words) * MODEL.token_ms / 1e3)
    assert sorted(whole_s)[1_900] < 3


def test_first_tokens_have_the_median_and_the_99th_percentile_of_the_model():
    first = FirstTokens(1)
    waits_ms = sorted(first.wait_ns(endpoint="primary", model=MODEL, prompt=str(n).encode()) / 1e6 for n in range(20_000))
    assert 294 < waits_ms[10_000] < 306
    assert 855 < waits_ms[19_800] < 945


def test_a_repeated_question_draws_its_first_token_anew_and_in_the_same_way_in_the_next_run():
    def waits():
        first = FirstTokens(4)
        return [first.wait_ns(endpoint="primary", model=MODEL, prompt=b"again") for _ in range(5)]

    assert len(set(waits())) == 5
    assert waits() == waits()


def test_what_others_ask_does_not_change_my_timing():
    alone, crowded = FirstTokens(4), FirstTokens(4)
    for number in range(10):
        crowded.wait_ns(endpoint="primary", model=MODEL, prompt=str(number).encode())
    mine = {"endpoint": "primary", "model": MODEL, "prompt": b"mine"}
    assert alone.wait_ns(**mine) == crowded.wait_ns(**mine)
